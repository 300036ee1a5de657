/** Storages of others on this machine, that exports are sent to: an S3-compatible server and an SSH server. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo } from 'node:net';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const MOTO = 'moto==5.2.5';
const SSHD = '/usr/sbin/sshd';

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

async function untilListening(port: number, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const socket = createConnection({ port, host: '127.0.0.1' });
    const isOpen = await new Promise<boolean>((done) => {
      socket.once('connect', () => {
        done(true);
      });
      socket.once('error', () => {
        done(false);
      });
    });
    socket.destroy();
    if (isOpen) return;
    await pause(50);
  }
  throw new Error(`${child.spawnfile} ended with ${child.exitCode}.`);
}

/** A server that was started. */
interface Started {
  readonly port: number;
  stop(): Promise<void>;
}

async function started(child: ChildProcess, port: number): Promise<Started> {
  await untilListening(port, child);
  return {
    port,
    stop: async () => {
      if (child.exitCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'close');
    },
  };
}

/** An S3-compatible server that checks signatures, with a key that may do everything. */
export interface S3Server extends Started {
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

/** Made once on a machine. */
function motoServer(): string {
  const directory = join(homedir(), '.cache', 'ctwa-ledger-test', MOTO.replace('==', '-'));
  if (!existsSync(join(directory, 'ready'))) {
    execFileSync('python3', ['-m', 'venv', '--clear', directory], { stdio: 'inherit' });
    const pip = ['-m', 'pip', 'install', '--quiet', MOTO.replace('==', '[s3,server,iam]==')];
    execFileSync(join(directory, 'bin', 'python'), pip, { stdio: 'inherit' });
    writeFileSync(join(directory, 'ready'), '');
  }
  return join(directory, 'bin', 'moto_server');
}

export async function startS3(): Promise<S3Server> {
  const port = await freePort();
  const child = spawn(motoServer(), ['-H', '127.0.0.1', '-p', String(port)], {
    stdio: 'ignore',
    // What makes the user and its key may come from anybody; what comes after that is checked.
    env: { ...process.env, INITIAL_NO_AUTH_ACTION_COUNT: '3' },
  });
  const server = await started(child, port);
  const endpoint = `http://127.0.0.1:${port}`;
  const ask = async (parameters: Record<string, string>): Promise<string> => {
    const scope = 'AKIAX/20260101/us-east-1/iam/aws4_request';
    const answer = await fetch(endpoint, {
      method: 'POST',
      headers: { authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none` },
      body: new URLSearchParams({ Version: '2010-05-08', UserName: 'exporter', ...parameters }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    return text;
  };
  await ask({ Action: 'CreateUser' });
  const all = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
  await ask({ Action: 'PutUserPolicy', PolicyName: 'all', PolicyDocument: JSON.stringify(all) });
  const made = await ask({ Action: 'CreateAccessKey' });
  const of = (name: string): string => new RegExp(`<${name}>([^<]+)<`).exec(made)?.[1] ?? '';
  return { ...server, endpoint, accessKey: of('AccessKeyId'), secretKey: of('SecretAccessKey') };
}

/** An SSH server that takes one key, of whoever runs the tests. */
export interface SshServer extends Started {
  readonly user: string;
  readonly hostKey: string;
  /** Path of the private key that it takes. */
  readonly privateKey: string;
}

function installSshd(): void {
  if (existsSync(SSHD)) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync('apt-get', ['update', '-qq'], { stdio: 'ignore', env });
  const install = ['install', '-y', '-qq', '--no-install-recommends', 'openssh-server'];
  execFileSync('apt-get', install, { stdio: 'ignore', env });
}

/** @param directory of its keys */
export async function startSsh(directory: string): Promise<SshServer> {
  installSshd();
  mkdirSync(directory, { recursive: true });
  const [host, client] = [join(directory, 'host'), join(directory, 'client')];
  for (const path of [host, client])
    if (!existsSync(path)) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
  const { username, uid } = userInfo();
  // Where it gives up rights that it then has; nobody but root has any.
  if (uid === 0) mkdirSync('/run/sshd', { recursive: true });
  const port = await freePort();
  const config = join(directory, 'sshd_config');
  writeFileSync(
    config,
    `Port ${port}\nListenAddress 127.0.0.1\nHostKey ${host}\nAuthorizedKeysFile ${client}.pub\nPidFile none
StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\n`,
  );
  const server = await started(spawn(SSHD, ['-D', '-e', '-f', config], { stdio: 'ignore' }), port);
  const key = Buffer.from(readFileSync(`${host}.pub`, 'utf8').split(' ')[1] ?? '', 'base64');
  const hostKey = `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=$/, '')}`;
  return { ...server, user: username, hostKey, privateKey: client };
}
