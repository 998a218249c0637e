# A workspace of HCP Terraform; its environment variable TFC_WORKLOAD_IDENTITY_AUDIENCE_TELEPORT is teleport.example.com.
terraform {
  cloud {
    organization = "acme"
    workspaces {
      name = "app"
    }
  }
}

# On an agent of your own that has jobpass and ssh.
resource "terraform_data" "deploy" {
  triggers_replace = timestamp()

  provisioner "local-exec" {
    command = <<-EOT
      eval "$(jobpass login --proxy teleport.example.com --token ci-deploy --export shell)"
      trap 'jobpass logout' EXIT
      ssh -F "$JOBPASS_SSH_CONFIG" deploy@web-1.teleport.example.com uptime
    EOT
  }
}
