import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { Metrics } from '../../services/http/metrics.ts';
import { hostsOf } from '../../services/processes/built-pages.ts';
import { pathOf, readCompose, readExample, textOf, variablesIn, type Service } from './compose.ts';

const ONE_SHOT = ['topics'];
const PUBLISHED = ['webhook'];
const SECRET = /PASSWORD|SECRET|TOKEN/;

const compose = readCompose();
const services = Object.entries(compose.services);
const longRunning = services.filter(([name]) => !ONE_SHOT.includes(name));

function isOurs(service: Service): boolean {
  return service.build !== undefined;
}

/** `[address:][host port:]container port`; a variable may hold colons of its own. */
function addressOf(port: string): string | null {
  const parts = port.replaceAll(/\$\{[^}]*\}/g, 'variable').split(':');
  return parts.length === 3 ? (parts[0] ?? null) : null;
}

describe('docker-compose.yml', () => {
  it('has the services of the ledger', () => {
    expect(Object.keys(compose.services).sort()).toEqual(
      ['kafka', 'clickhouse', 'topics', 'webhook', 'consumer', 'exporter', 'dashboard'].sort(),
    );
  });

  it('takes exactly the variables that .env.example explains, with the same defaults', () => {
    const example = readExample();
    const used = new Map(variablesIn(textOf('docker-compose.yml')).map(({ name, fallback }) => [name, fallback]));
    expect([...used.keys()].sort()).toEqual(Object.keys(example).sort());
    // What is needed stands there empty, so that a copy which was not filled in does not start.
    for (const [name, fallback] of used) expect([name, example[name]]).toEqual([name, fallback ?? '']);
    const lines = textOf('.env.example').split('\n');
    for (const name of used.keys())
      expect(lines[lines.findIndex((line) => line.startsWith(`${name}=`)) - 1]).toMatch(/^# \S/);
  });

  it('holds no secret, not even a default one', () => {
    for (const [, service] of services)
      for (const [name, value] of Object.entries(service.environment))
        if (SECRET.test(name)) expect([name, value]).toEqual([name, expect.stringMatching(/^\$\{\w+:(\?.+|-)\}$/)]);
    for (const { name, fallback } of variablesIn(textOf('docker-compose.yml')))
      if (SECRET.test(name)) expect([name, fallback ?? '']).toEqual([name, '']);
    for (const [name, value] of Object.entries(readExample()))
      if (SECRET.test(name)) expect([name, value]).toEqual([name, '']);
  });

  it('publishes the webhook only; the dashboard on loopback', () => {
    for (const [name, service] of services) {
      if (PUBLISHED.includes(name)) continue;
      for (const port of service.ports ?? []) expect([name, addressOf(port)]).toEqual([name, '127.0.0.1']);
    }
    expect(services.filter(([, service]) => service.ports !== undefined).map(([name]) => name)).toEqual([
      'webhook',
      'dashboard',
    ]);
  });

  it('restarts and checks what runs for long, and runs the one-shot once', () => {
    for (const [name, service] of longRunning) {
      expect([name, service.restart]).toEqual([name, 'unless-stopped']);
      expect([name, service.healthcheck?.test[0]]).toEqual([name, 'CMD']);
    }
    for (const name of ONE_SHOT) expect(compose.services[name]?.restart).toBe('no');
  });

  it('checks our services by node, at the port that they are told to listen on', () => {
    for (const [name, service] of longRunning) {
      if (!isOurs(service)) continue;
      const { command = [], healthcheck } = service;
      const port = command[command.indexOf('--port') + 1];
      expect([name, command[command.indexOf('--host') + 1]]).toEqual([name, '0.0.0.0']);
      expect(healthcheck?.test.slice(0, 3)).toEqual(['CMD', 'node', '-e']);
      expect(healthcheck?.test[3]).toMatch(new RegExp(`^fetch\\('http://127\\.0\\.0\\.1:${port}/(readyz|healthz)'\\)`));
      for (const published of service.ports ?? []) expect(published).toMatch(new RegExp(`:${port}$`));
    }
  });

  it('waits for services that are healthy or have ended well', () => {
    for (const [name, service] of services)
      for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
        expect([name, other, Object.hasOwn(compose.services, other)]).toEqual([name, other, true]);
        const due = ONE_SHOT.includes(other) ? 'service_completed_successfully' : 'service_healthy';
        expect([name, other, condition]).toEqual([name, other, due]);
      }
  });

  it('can run as many consumers as wanted', () => {
    expect(compose.services['consumer']?.ports).toBeUndefined();
    // `container_name` is no key that a service may have here at all.
    expect(textOf('docker-compose.yml')).not.toContain('container_name');
  });

  it('declares the named volumes that it mounts, and mounts files that exist, to be read only', () => {
    const mounted = services.flatMap(([, service]) => service.volumes ?? []);
    const named = mounted.filter((volume) => !volume.startsWith('.')).map((volume) => volume.split(':')[0] ?? '');
    expect([...named].sort()).toEqual(Object.keys(compose.volumes).sort());
    for (const [source = '', , mode] of mounted.filter((v) => v.startsWith('.')).map((volume) => volume.split(':')))
      expect([source, existsSync(pathOf(source)), mode]).toEqual([source, true, 'ro']);
  });

  it('pins images and runs ours with few rights', () => {
    for (const [name, service] of services) {
      expect([name, service.image]).toEqual([name, expect.stringMatching(/^[\w./-]+:\d+\.\d+(\.\d+)?$/)]);
      if (!isOurs(service)) continue;
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
      expect(service.image).toBe(compose.services['webhook']?.image);
    }
    expect(compose.services['clickhouse']?.image).toMatch(/^clickhouse\/clickhouse-server:26\./);
    expect(compose.services['kafka']?.image).toMatch(/^apache\/kafka:4\./);
  });

  it('gives Kafka the settings that the ledger needs', () => {
    expect(compose.services['kafka']?.environment).toMatchObject({
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_LOG_MESSAGE_TIMESTAMP_TYPE: 'LogAppendTime',
      KAFKA_MESSAGE_MAX_BYTES: 8 * 1024 * 1024,
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
      KAFKA_LOG_RETENTION_HOURS: 14 * 24,
    });
    const directory = compose.services['kafka']?.environment['KAFKA_LOG_DIRS'];
    expect(compose.services['kafka']?.volumes).toContain(`kafka:${String(directory)}`);
  });
});

describe('deploy/clickhouse/users.xml', () => {
  const xml = textOf('deploy/clickhouse/users.xml');
  const users = /<users>(.*)<\/users>/s.exec(xml)?.[1] ?? '';
  const userOf = (name: string): string => new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(users)?.[1] ?? '';
  const environment = compose.services['dashboard']?.environment ?? {};

  it('takes every password from the environment of its container', () => {
    const passwords = [...xml.matchAll(/<password[^>]*>/g)].map(([element]) => element);
    expect(passwords).toHaveLength(2);
    for (const element of passwords) {
      const name = /^<password from_env="(\w+)"\/>$/.exec(element)?.[1] ?? '';
      expect(Object.keys(compose.services['clickhouse']?.environment ?? {})).toContain(name);
    }
    // These would make the image's entry point write a user of its own.
    for (const name of ['CLICKHOUSE_USER', 'CLICKHOUSE_PASSWORD', 'CLICKHOUSE_DB'])
      expect(compose.services['clickhouse']?.environment).not.toHaveProperty(name);
  });

  it('defines the users that the services are given', () => {
    const own = userOf(String(environment['CLICKHOUSE_USER']));
    expect(own).toContain('from_env="CTWA_PASSWORD"');
    expect(compose.services['clickhouse']?.environment['CTWA_PASSWORD']).toBe(environment['CLICKHOUSE_PASSWORD']);
    const reader = userOf(String(environment['CLICKHOUSE_READ_USER']));
    expect(reader).toContain('from_env="CTWA_READ_PASSWORD"');
    expect(compose.services['clickhouse']?.environment['CTWA_READ_PASSWORD']).toBe(
      environment['CLICKHOUSE_READ_PASSWORD'],
    );
  });

  it('lets the reader read the databases of the ledger and nothing else', () => {
    const reader = userOf(String(environment['CLICKHOUSE_READ_USER']));
    const database = String(environment['CLICKHOUSE_DATABASE']);
    const profile = /<profile>(\w+)<\/profile>/.exec(reader)?.[1] ?? '';
    expect(xml).toMatch(new RegExp(`<profiles>.*<${profile}>[^/]*<readonly>2</readonly>\\s*</${profile}>`, 's'));
    expect([...reader.matchAll(/<query>(.*?)<\/query>/g)].map(([, query]) => query)).toEqual([
      `GRANT SELECT ON ${database}.*`,
      `GRANT SELECT ON ${database}_sample.*`,
      'GRANT SELECT ON system.parts',
    ]);
  });

  it('gives public services no access to the ledger', () => {
    for (const name of PUBLISHED)
      expect(
        Object.keys(compose.services[name]?.environment ?? {}).filter((key) => key.startsWith('CLICKHOUSE')),
      ).toEqual([]);
  });

  it('gives the reading user only to services that show and export', () => {
    const readers = services.filter(([, { environment: given }]) => 'CLICKHOUSE_READ_USER' in given);
    expect(readers.map(([name]) => name).sort()).toEqual(['dashboard', 'exporter']);
  });
});

describe('the names that pages answer to', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it.each([
    ['127.0.0.1', '', ['127.0.0.1', 'localhost', '[::1]']],
    ['127.0.0.1', 'https://ledger.example.com', ['127.0.0.1', 'localhost', '[::1]', 'ledger.example.com']],
    ['0.0.0.0', '', null],
    // In a container, whose port is published on loopback: no page elsewhere can point a name of its own here.
    ['0.0.0.0', 'http://localhost:8787', ['127.0.0.1', 'localhost', '[::1]']],
  ])('on %s with the origin "%s"', (host, origin, names) => {
    vi.stubEnv('ORIGIN', origin);
    expect(hostsOf(host)).toEqual(names === null ? null : new Set(names));
  });
});

describe('Dockerfile', () => {
  const lines = textOf('Dockerfile')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));

  it('pins its images, and the Node version that the packages need', () => {
    const [, version] = /^ARG NODE_IMAGE=node:(\d+\.\d+\.\d+)-[\w-]+$/.exec(lines[0] ?? '') ?? [];
    expect(version).toMatch(/^20\.(19|[2-9]\d)\./);
    for (const line of lines.filter((text) => text.startsWith('FROM ')))
      expect(line).toMatch(/^FROM (\$\{NODE_IMAGE\}|packages)( AS \w+)?$/);
  });

  it('runs as a user without rights', () => {
    const user = last.findIndex((line) => line === 'USER node');
    expect(user).toBeGreaterThan(0);
    expect(last.slice(user).some((line) => /^(RUN|COPY|ADD)/.test(line))).toBe(false);
    expect(last).toContain('ENTRYPOINT ["ctwa-ledger"]');
  });

  it('copies what exists, and what .dockerignore lets through', () => {
    const allowed = textOf('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(/\s+/).slice(1, -1));
    expect(copied.length).toBeGreaterThan(5);
    for (const path of copied) {
      expect([path, existsSync(pathOf(path))]).toEqual([path, true]);
      expect([path, allowed.includes(path) || allowed.includes(path.split('/')[0] ?? '')]).toEqual([path, true]);
    }
    for (const path of allowed) expect([path, existsSync(pathOf(path))]).toEqual([path, true]);
    expect(textOf('.dockerignore').split('\n')).toContain('*');
  });

  it('installs production packages and leaves the embedded engine out', () => {
    expect(lines).toContain('RUN npm ci --ignore-scripts --omit=dev && rm -r node_modules/chdb node_modules/@chdb');
    expect(last.some((line) => line.includes('npm'))).toBe(false);
  });
});

describe('deploy/grafana/ctwa-ledger.json', () => {
  const dashboard = z
    .object({
      uid: z.string(),
      title: z.string(),
      panels: z.array(
        z.object({
          id: z.int(),
          title: z.string(),
          description: z.string(),
          targets: z.array(z.object({ refId: z.string(), expr: z.string() })).min(1),
        }),
      ),
    })
    .parse(JSON.parse(textOf('deploy/grafana/ctwa-ledger.json')));
  const expressions = dashboard.panels.flatMap((panel) => panel.targets.map((target) => target.expr));

  /** The names of all series: a histogram has three. */
  async function known(): Promise<Set<string>> {
    const metrics = await new Metrics().registry.getMetricsAsJSON();
    return new Set(
      metrics.flatMap(({ name, type }) =>
        String(type) === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
      ),
    );
  }

  it('asks for metrics that /metrics has', async () => {
    const series = await known();
    const asked = expressions.flatMap((expression) => expression.match(/\bctwa_\w+/g) ?? []);
    expect(asked.length).toBeGreaterThan(10);
    expect([...new Set(asked)].filter((name) => !series.has(name))).toEqual([]);
  });

  it('has panels with ids of their own and a word of explanation', () => {
    expect(new Set(dashboard.panels.map((panel) => panel.id)).size).toBe(dashboard.panels.length);
    for (const panel of dashboard.panels) expect(panel.description.length).toBeGreaterThan(10);
  });
});
