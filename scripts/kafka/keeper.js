/**
 * Runs the broker for the process that forked this one, and ends it the hard way when that process is gone, however it
 * went: a test run that is killed leaves no broker behind.
 */
import { spawn } from 'node:child_process';

const [command, ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
const leave = (status) => process.exit(status);

process.on('disconnect', () => {
  if (!child.kill('SIGKILL')) leave(1);
});
process.on('message', (signal) => child.kill(signal));
child.once('spawn', () => process.send(child.pid, () => undefined));
child.once('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  leave(1);
});
child.once('exit', (status) => leave(status ?? 1));
// Gone before there was anything here to hear of it.
if (!process.connected) child.kill('SIGKILL');
