/**
 * A real Kafka broker on this machine, for development and tests: one node, loopback only; `broker.d.ts` describes what
 * is exported. Node built-ins only, because the tests' preparation imports it before anything else is there.
 */
import { execFile, fork, spawnSync } from 'node:child_process';
import { createHash, randomBytes, randomInt } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const POM = join(HERE, 'pom.xml');
const KEEPER = join(HERE, 'keeper.js');
const JARS = fileURLToPath(new URL('../../node_modules/.kafka/', import.meta.url));
const JAVA = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin', 'java') : 'java';
const OLDEST_JAVA = 17;
const HEAP = ['-Xms256m', '-Xmx512m', '-XX:+UseSerialGC'];
/** Kafka's coordinators keep their own topics: 50 partitions each by default, far too many for one small node. */
const INTERNAL_PARTITIONS = '4';
/** Below every system's range for outgoing connections, so that none of those takes a port while its broker restarts. */
const PORTS = [15_000, 32_000];
const ATTEMPTS = 5;
const READY = 'Kafka Server started';
const START_MS = 60_000;
const STOP_MS = 30_000;
const LOG_LINES = 15;
/** What needs no quoting in a JAAS configuration nor in Kafka's format command. */
const CREDENTIAL = /^[\w.~-]+$/;

const execute = promisify(execFile);

class PortTaken extends Error {}

function jarsDirectory() {
  return join(JARS, createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, 16));
}

function javaVersion() {
  const { status, stderr } = spawnSync(JAVA, ['-version'], { encoding: 'utf8' });
  const match = status === 0 ? /version "(?:1\.)?(\d+)/.exec(stderr) : null;
  return match === null ? null : Number(match[1]);
}

export function kafkaUnavailable() {
  const version = javaVersion();
  if (version === null) return `A Kafka broker needs Java ${OLDEST_JAVA} or newer, and there is no Java here.`;
  if (version < OLDEST_JAVA) return `A Kafka broker needs Java ${OLDEST_JAVA} or newer, and this is Java ${version}.`;
  if (existsSync(jarsDirectory()) || spawnSync('mvn', ['-version']).status === 0) return null;
  return 'A Kafka broker needs Maven (mvn) to fetch its jars, and there is none here.';
}

export function installKafka() {
  const directory = jarsDirectory();
  if (existsSync(directory)) return directory;
  process.stderr.write("fetching Kafka's jars…\n");
  mkdirSync(JARS, { recursive: true });
  const fetched = mkdtempSync(join(JARS, 'fetching-'));
  try {
    const args = [
      '-q',
      '-B',
      '-Dstyle.color=never',
      '-f',
      POM,
      'dependency:copy-dependencies',
      '-DincludeScope=runtime',
    ];
    const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] };
    const { status, error, stdout } = spawnSync('mvn', [...args, `-DoutputDirectory=${fetched}`], options);
    if (status !== 0)
      throw new Error(`Maven could not fetch Kafka's jars: ${error?.message ?? lastLines(stdout, LOG_LINES)}`);
    try {
      renameSync(fetched, directory);
    } catch (cause) {
      // Another process was faster: what it has fetched is the same.
      if (!existsSync(directory)) throw cause;
    }
  } finally {
    rmSync(fetched, { recursive: true, force: true });
  }
  return directory;
}

function lastLines(text, count) {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

/** Whether a port can be listened on. */
function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

async function freePort() {
  for (;;) {
    const port = randomInt(...PORTS);
    if (await isFree(port)) return port;
  }
}

/** A Java properties file: backslashes and what is not ASCII are escaped. */
function propertiesText(properties) {
  const escaped = (value) =>
    value
      .replaceAll('\\', '\\\\')
      .replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${escaped(value)}\n`)
    .join('');
}

/** Kafka's own lock comes too late: a second broker ruins the log of the first before it meets that lock, and both end. */
async function refuseSecond(paths) {
  if (!existsSync(paths.properties)) return;
  const match = /^controller\.quorum\.voters=.*:(\d+)$/m.exec(readFileSync(paths.properties, 'utf8'));
  if (match !== null && !(await isFree(Number(match[1]))))
    throw new Error(`A broker runs on ${paths.directory} already: something listens on its port ${match[1]}.`);
}

function secureProperties(paths, users) {
  const logins = users.map(({ name, password }) => `user_${name}="${password}"`).join(' ');
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  return {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': paths.keystore,
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'listener.name.secure.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${logins};`,
    'listener.name.secure.scram-sha-256.sasl.jaas.config': scram,
    'listener.name.secure.scram-sha-512.sasl.jaas.config': scram,
  };
}

/** Kafka's defaults, but for what one small node on loopback needs: topics made with defaults are as users' are. */
function brokerProperties(options, paths, ports) {
  const { secure, properties = {} } = options;
  const listeners = [`PLAINTEXT://127.0.0.1:${ports.plain}`, `CONTROLLER://127.0.0.1:${ports.controller}`];
  const advertised = [`PLAINTEXT://127.0.0.1:${ports.plain}`];
  const protocols = ['PLAINTEXT:PLAINTEXT', 'CONTROLLER:PLAINTEXT'];
  if (secure !== undefined) {
    listeners.push(`SECURE://127.0.0.1:${ports.secure}`);
    advertised.push(`SECURE://localhost:${ports.secure}`);
    protocols.push('SECURE:SASL_SSL');
  }
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${ports.controller}`,
    listeners: listeners.join(),
    'advertised.listeners': advertised.join(),
    'listener.security.protocol.map': protocols.join(),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': paths.topics,
    'default.replication.factor': '1',
    'min.insync.replicas': '1',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': INTERNAL_PARTITIONS,
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': INTERNAL_PARTITIONS,
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'share.coordinator.state.topic.num.partitions': INTERNAL_PARTITIONS,
    // After a SIGKILL the controller takes the broker back only when its old session has run out: 9 s by default.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '250',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    ...(secure === undefined ? {} : secureProperties(paths, secure.users)),
    ...properties,
  };
}

/** A key and a certificate for localhost, made once; the certificate is its own authority. */
async function makeCertificate(paths) {
  if (existsSync(paths.keystore)) return;
  mkdirSync(paths.tls, { recursive: true });
  const key = join(paths.tls, 'key.pem');
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '3650', '-subj', '/CN=localhost'];
  try {
    await execute('openssl', [...request, '-addext', names, '-keyout', key, '-out', paths.certificate]);
  } catch (cause) {
    throw new Error(`openssl could not make a certificate: ${cause.message}`, { cause });
  }
  writeFileSync(paths.keystore, readFileSync(key, 'utf8') + readFileSync(paths.certificate, 'utf8'), { mode: 0o600 });
}

/** Prepares a data directory, once; `paths.formatted` says that it is done, and for which users. */
async function format(jars, paths, users) {
  const wanted = JSON.stringify(users);
  if (existsSync(paths.formatted)) {
    // Users are part of what is formatted, so others would silently be refused.
    if (users.length > 0 && readFileSync(paths.formatted, 'utf8') !== wanted)
      throw new Error(`${paths.directory} was made for other users: give it the same ones, or another directory.`);
    return;
  }
  rmSync(paths.topics, { recursive: true, force: true });
  // A cluster id must not begin with a dash.
  const id = randomBytes(16).toString('base64url').replace(/^-/, 'A');
  const scram = users.flatMap(({ name, password }) =>
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((way) => ['--add-scram', `${way}=[name=${name},password=${password}]`]),
  );
  const args = ['-t', id, '-c', paths.properties, ...scram];
  const quick = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];
  try {
    await execute(JAVA, [...quick, ...logging(), '-cp', join(jars, '*'), 'kafka.tools.StorageTool', 'format', ...args]);
  } catch (cause) {
    throw new Error(`Kafka could not format ${paths.topics}: ${cause.stderr || cause.message}`, { cause });
  }
  writeFileSync(paths.formatted, wanted, { mode: 0o600 });
}

function logging() {
  return [`-Dlog4j2.configurationFile=${join(HERE, 'log4j2.properties')}`];
}

/** What was written to a log from an offset on. */
function logFrom(path, offset) {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(Math.max(0, fstatSync(file).size - offset));
    return buffer.toString('utf8', 0, readSync(file, buffer, 0, buffer.length, offset));
  } finally {
    closeSync(file);
  }
}

/** Starts the broker's process under its keeper and resolves when it takes connections. */
async function launch(jars, paths) {
  const log = openSync(paths.log, 'a');
  const offset = fstatSync(log).size;
  const program = [JAVA, ...HEAP, ...logging(), '-cp', join(jars, '*'), 'kafka.Kafka', paths.properties];
  // In a group of its own: Ctrl-C is for us, and we stop the broker then.
  const keeper = fork(KEEPER, program, { execArgv: [], detached: true, stdio: ['ignore', log, log, 'ipc'] });
  closeSync(log);
  const running = {
    pid: null,
    ended: new Promise((resolve) => {
      keeper.once('error', resolve);
      keeper.once('exit', resolve);
    }),
    signal: (name) => keeper.connected && keeper.send(name, () => undefined),
  };
  let hasEnded = false;
  void running.ended.then(() => (hasEnded = true));
  keeper.once('message', (pid) => (running.pid = pid));
  const deadline = Date.now() + START_MS;
  for (;;) {
    const text = logFrom(paths.log, offset);
    if (running.pid !== null && text.includes(READY)) return running;
    const isLate = Date.now() > deadline;
    if (hasEnded || isLate) {
      running.signal('SIGKILL');
      await running.ended;
      if (/Address already in use/.test(text)) throw new PortTaken(`A port is taken: see ${paths.log}.`);
      const what = isLate ? `did not start within ${START_MS / 1000} s` : 'ended before it had started';
      throw new Error(`Kafka ${what}. ${paths.log} ends with:\n${lastLines(text, LOG_LINES)}`);
    }
    await delay(25);
  }
}

export async function startBroker(options) {
  const { dataDir, port, secure } = options;
  const users = secure?.users ?? [];
  for (const credential of users.flatMap(({ name, password }) => [name, password]))
    if (!CREDENTIAL.test(credential)) throw new Error('Names and passwords are letters, digits and _.~- here.');
  const jars = installKafka();
  const paths = {
    directory: dataDir,
    properties: join(dataDir, 'server.properties'),
    formatted: join(dataDir, 'formatted.json'),
    topics: join(dataDir, 'topics'),
    log: join(dataDir, 'kafka.log'),
    tls: join(dataDir, 'tls'),
    certificate: join(dataDir, 'tls', 'certificate.pem'),
    keystore: join(dataDir, 'tls', 'keystore.pem'),
  };
  mkdirSync(dataDir, { recursive: true });
  await refuseSecond(paths);
  if (secure !== undefined) await makeCertificate(paths);

  const choosePorts = async () => ({
    plain: port ?? (await freePort()),
    controller: await freePort(),
    secure: await freePort(),
  });
  const start = async (ports) => {
    writeFileSync(paths.properties, propertiesText(brokerProperties(options, paths, ports)), { mode: 0o600 });
    await format(jars, paths, users);
    return launch(jars, paths);
  };
  /** Others may take a port between the look at it and the start. */
  const persist = async (nextPorts) => {
    for (let attempt = 1; ; attempt++) {
      const ports = await nextPorts();
      if (port !== undefined && !(await isFree(port)))
        throw new PortTaken(`Port ${port} of 127.0.0.1 is taken: another broker may run already.`);
      try {
        return { ports, running: await start(ports) };
      } catch (error) {
        if (!(error instanceof PortTaken) || attempt === ATTEMPTS) throw error;
      }
    }
  };

  const first = await persist(choosePorts);
  const { ports } = first;
  let running = first.running;

  const end = async (signal) => {
    if (running === null) return;
    const ending = running;
    ending.signal(signal);
    const insist = setTimeout(() => ending.signal('SIGKILL'), STOP_MS);
    await ending.ended;
    clearTimeout(insist);
    if (running === ending) running = null;
  };
  return {
    brokers: `127.0.0.1:${ports.plain}`,
    secure: secure === undefined ? null : { brokers: `localhost:${ports.secure}`, caFile: paths.certificate, users },
    get pid() {
      return running?.pid ?? null;
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    restart: async () => {
      await end('SIGTERM');
      ({ running } = await persist(() => Promise.resolve(ports)));
    },
    ended: async () => {
      await running?.ended;
    },
  };
}
