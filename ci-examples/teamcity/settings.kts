// .teamcity/settings.kts
import jetbrains.buildServer.configs.kotlin.*
import jetbrains.buildServer.configs.kotlin.buildSteps.script

version = "2025.11"

project {
    buildType(Deploy)
}

object Deploy : BuildType({
    id("App_Deploy")
    name = "Deploy"
    params {
        param("env.TEAMCITY_ID_TOKEN", "%jwt.token%") // of the plugin's build feature
    }
    steps {
        script {
            name = "log in to Teleport"
            scriptContent = "jobpass login --proxy teleport.example.com --token ci-deploy"
        }
        script {
            name = "deploy"
            scriptContent = "ssh -F \"${'$'}JOBPASS_SSH_CONFIG\" deploy@web-1.teleport.example.com uptime"
        }
        script {
            name = "log out"
            scriptContent = "jobpass logout"
            executionMode = BuildStep.ExecutionMode.ALWAYS
        }
    }
})
