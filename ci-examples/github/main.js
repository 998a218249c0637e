// Runs `jobpass login` with the action's inputs. No shell reads them: they are arguments of their own, each behind its flag.
'use strict';
const { spawn, spawnSync } = require('node:child_process');
const { randomUUID } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const input = (name) => (process.env[`INPUT_${name.toUpperCase()}`] ?? '').trim();
const words = (name) => input(name).split(/[\n,]/).map((word) => word.trim()).filter(Boolean);
const lines = (name) => input(name).split('\n').map((line) => line.trim()).filter(Boolean);

function fail(message, code = 2) {
  console.log(`::error title=jobpass::${message.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A')}`);
  process.exit(code);
}

// The jobpass in PATH, unless a version is wanted that it is not; else the one that install.sh installs.
function binary() {
  const version = input('version').replace(/^v/, '');
  const found = spawnSync('jobpass', ['--version'], { encoding: 'utf8' });
  if (found.status === 0 && (!version || found.stdout.trim() === `jobpass ${version}`)) return 'jobpass';
  const places = [path.join(__dirname, 'install.sh'), path.join(__dirname, '..', 'install.sh')];
  const script = places.find((place) => fs.existsSync(place));
  if (!script) fail('jobpass is not in PATH, and install.sh does not lie beside the action: copy it there');
  const given = { JOBPASS_VERSION: version, JOBPASS_MIRROR: input('mirror'), JOBPASS_SHA256: input('sha256') };
  const env = { ...process.env, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value)) };
  const run = spawnSync('sh', [script], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (run.status !== 0) fail('could not install jobpass', run.status ?? 1);
  return path.join(run.stdout.trim().split('\n').pop(), 'jobpass');
}

function flags(dir) {
  const flag = (name, value) => (value ? [`--${name}=${value}`] : []);
  const named = (kind, value) => {
    // What follows a comma would be another setting of the output.
    if (value.includes(',')) fail(`the name of the ${kind} has a comma`);
    return value ? [`--output=${kind}=${value}`] : [];
  };
  return [
    ...flag('proxy', input('proxy')),
    ...flag('token', input('token')),
    ...flag('ttl', input('certificate-ttl')),
    ...flag('roles', words('roles').join(',')),
    ...flag('name', input('name')),
    ...flag('audience', input('audience')),
    ...lines('output').map((spec) => `--output=${spec}`),
    ...named('kube', input('kubernetes-cluster')),
    ...named('app', input('app')),
    ...flag('dir', dir),
  ];
}

const jobpass = binary();
const dir = path.join(process.env.RUNNER_TEMP, `jobpass-${randomUUID()}`);
// Before anything is written: whatever happens from here on, post.js knows what to wipe.
fs.appendFileSync(process.env.GITHUB_STATE, `binary=${jobpass}\ndir=${dir}\n`);
const env = { ...process.env };
let discarded;
if (/^(true|1|yes)$/i.test(input('disable-env-vars'))) {
  discarded = `${dir}.env`;
  fs.writeFileSync(discarded, '', { mode: 0o600 });
  env.GITHUB_ENV = discarded;
}
const child = spawn(jobpass, ['login', ...flags(dir)], { env, stdio: ['ignore', 'inherit', 'inherit'] });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => fail(`could not start ${jobpass}: ${error.message}`, 1));
child.on('close', (code) => {
  if (discarded) fs.rmSync(discarded, { force: true });
  process.exitCode = code ?? 1;
});
