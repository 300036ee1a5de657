import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';

/** A file of the checkout. */
export function pathOf(name: string): string {
  return fileURLToPath(new URL(`../../${name}`, import.meta.url));
}

export function textOf(name: string): string {
  return readFileSync(pathOf(name), 'utf8');
}

const duration = z.string().regex(/^(\d+(h|m|s))+$/);
const condition = z.enum(['service_started', 'service_healthy', 'service_completed_successfully']);
const environmentSchema = z.record(z.string(), z.union([z.string(), z.number()]));

/** What we use of the Compose specification; a key that is not ours yet must be looked up before it is added here. */
const serviceSchema = z.strictObject({
  image: z.string(),
  build: z.string().optional(),
  platform: z.string().optional(),
  command: z.array(z.string()).optional(),
  hostname: z.string().optional(),
  restart: z.enum(['no', 'always', 'on-failure', 'unless-stopped']),
  init: z.boolean().optional(),
  read_only: z.boolean().optional(),
  tmpfs: z.array(z.string()).optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  stop_grace_period: duration,
  environment: environmentSchema,
  env_file: z.array(z.strictObject({ path: z.string(), required: z.boolean() })).optional(),
  volumes: z.array(z.string()).optional(),
  ports: z.array(z.string()).optional(),
  ulimits: z.record(z.string(), z.strictObject({ soft: z.int(), hard: z.int() })).optional(),
  healthcheck: z
    .strictObject({
      test: z.array(z.string()).min(2),
      interval: duration,
      timeout: duration,
      retries: z.int().positive(),
      start_period: duration,
      start_interval: duration.optional(),
    })
    .optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition })).optional(),
  logging: z.strictObject({ driver: z.string(), options: z.record(z.string(), z.string()) }),
});

export type Service = z.infer<typeof serviceSchema>;

const composeSchema = z.object({
  name: z.string(),
  services: z.record(z.string(), serviceSchema),
  volumes: z.record(z.string(), z.null()),
});

/** `docker-compose.yml`, anchors and merges resolved, variables as they stand. */
export function readCompose(): z.infer<typeof composeSchema> {
  const document: unknown = parse(textOf('docker-compose.yml'), { merge: true });
  const { name, services, volumes, ...others } = z.record(z.string(), z.unknown()).parse(document);
  const foreign = Object.keys(others).filter((key) => !key.startsWith('x-'));
  if (foreign.length > 0) throw new Error(`Not of the Compose specification, or not ours: ${foreign.join(', ')}`);
  return composeSchema.parse({ name, services, volumes });
}

/** One `${NAME}` of the compose file: needed (`:?`), or with a default (`:-`). */
export interface Variable {
  readonly name: string;
  /** Null when it must be given. */
  readonly fallback: string | null;
}

const VARIABLE = /\$\{([A-Z_]+)(?::([-?])([^}]*))?\}/g;

export function variablesIn(text: string): Variable[] {
  return [...text.matchAll(VARIABLE)].map(([whole, name, kind, rest]) => {
    if (name === undefined || kind === undefined || (kind === '?' && rest === ''))
      throw new Error(`${whole} says neither what is missing nor a default.`);
    return { name, fallback: kind === '-' ? (rest ?? '') : null };
  });
}

/** A text of the compose file as it is with these values in `.env`. */
export function interpolated(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(VARIABLE, (whole, name: string, kind: string, rest: string) => {
    const value = values[name];
    if (value !== undefined && value !== '') return value;
    if (kind !== '-') throw new Error(`${whole} has no value.`);
    return rest;
  });
}

/** `.env.example`: the value of every name. */
export function readExample(): Record<string, string> {
  const values: Record<string, string> = {};
  for (const line of textOf('.env.example').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [, name, value] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`Not a line of .env: ${line}`);
    if (name in values) throw new Error(`${name} stands there twice.`);
    values[name] = value;
  }
  return values;
}
