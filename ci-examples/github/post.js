// Runs `jobpass logout` on the folder that main.js chose, when the job ends: after a success, a failure or a cancellation.
'use strict';
const { spawnSync } = require('node:child_process');

const { STATE_binary: jobpass, STATE_dir: dir } = process.env;
// Without them main.js did not come as far as to write anything.
if (jobpass && dir) {
  const run = spawnSync(jobpass, ['logout', dir], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (run.error) console.log(`::error title=jobpass::could not start ${jobpass}: ${run.error.message}`);
  process.exitCode = run.status ?? 1;
}
