/**
 * A second destination for the files of an export, as one text: `s3://bucket/prefix?region=…&endpoint=…` or
 * `sftp://user@host:22/directory?host_key=SHA256:…`. It contains no secrets: `credentials` names those in the
 * environment.
 */
export type Destination = S3Destination | SftpDestination;

export interface S3Destination {
  readonly kind: 's3';
  readonly bucket: string;
  /** Folders above the folder of the export; empty = none. */
  readonly prefix: string;
  readonly region: string;
  /** Address of a storage other than Amazon's; null = Amazon's. */
  readonly endpoint: string | null;
  /** Name of credentials in the environment. */
  readonly credentials: string;
}

export interface SftpDestination {
  readonly kind: 'sftp';
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Absolute folder above the folder of the export. */
  readonly directory: string;
  /** Fingerprint of the server's key, as `ssh-keygen -l` prints it, so that no other server is accepted. */
  readonly host_key: string;
  readonly credentials: string;
}

const PARAMETERS: Readonly<Record<Destination['kind'], readonly string[]>> = {
  s3: ['region', 'endpoint', 'credentials'],
  sftp: ['host_key', 'credentials'],
};
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const CREDENTIALS = /^[a-z][a-z0-9_]{0,39}$/;
const HOST_KEY = /^SHA256:[A-Za-z0-9+/]{43}=?$/;
const FOLDERS = /^(?:\/?[A-Za-z0-9_][A-Za-z0-9_.=-]*)*\/?$/;
const ZONE_OF_STORAGE = /^[a-z0-9-]{1,40}$/;

/** The parameters of an address. A plus sign is not decoded as a space, because keys contain it. */
function parametersOf(query: string): ReadonlyMap<string, string> {
  return new Map(
    query
      .replace(/^\?/, '')
      .split('&')
      .filter((part) => part !== '')
      .map((part) => {
        const at = part.indexOf('=');
        return [part.slice(0, at === -1 ? undefined : at), at === -1 ? '' : decodeURIComponent(part.slice(at + 1))];
      }),
  );
}

function s3Of(url: URL, given: ReadonlyMap<string, string>, credentials: string): S3Destination | string {
  const [region, endpoint] = [given.get('region') ?? 'us-east-1', given.get('endpoint') ?? null];
  if (!BUCKET.test(url.hostname)) return `"${url.hostname}" is no name of a bucket`;
  if (!ZONE_OF_STORAGE.test(region)) return `"${region}" is no region`;
  if (endpoint !== null && (!/^https?:/.test(endpoint) || !URL.canParse(endpoint)))
    return `"${endpoint}" is no endpoint; use one like https://storage.example.com`;
  return {
    kind: 's3',
    bucket: url.hostname,
    prefix: url.pathname.slice(1).replace(/\/$/, ''),
    region,
    endpoint,
    credentials,
  };
}

function sftpOf(url: URL, given: ReadonlyMap<string, string>, credentials: string): SftpDestination | string {
  const host_key = given.get('host_key') ?? '';
  if (url.hostname === '' || url.username === '') return 'say user and host, like sftp://finance@files.example.com/in';
  if (!HOST_KEY.test(host_key))
    return 'say the fingerprint of the server’s key, host_key=SHA256:…; "ssh-keyscan HOST | ssh-keygen -lf -" prints it';
  return {
    kind: 'sftp',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 22 : Number(url.port),
    user: decodeURIComponent(url.username),
    directory: url.pathname.replace(/\/$/, ''),
    host_key: host_key.replace(/=$/, ''),
    credentials,
  };
}

/** Reads a destination; a text = what is wrong with it. */
export function readDestination(text: string): Destination | string {
  if (!URL.canParse(text)) return 'use an address like s3://bucket/prefix or sftp://user@host/folder';
  const url = new URL(text);
  const kind = url.protocol.slice(0, -1);
  if (kind !== 's3' && kind !== 'sftp') return `files go to s3:// or sftp://, not to ${url.protocol}//`;
  if (url.password !== '' || (kind === 's3' && url.username !== ''))
    return 'secrets are never part of it; credentials=NAME names those of the environment';
  if (!FOLDERS.test(url.pathname)) return `the folder "${url.pathname}" has signs that not every storage takes`;
  let given: ReadonlyMap<string, string>;
  try {
    given = parametersOf(url.search);
  } catch {
    return 'what follows the question mark cannot be read';
  }
  const unknown = [...given.keys()].find((name) => !PARAMETERS[kind].includes(name));
  if (unknown !== undefined) return `${kind}:// takes ${PARAMETERS[kind].join(', ')}, not ${unknown}`;
  const credentials = given.get('credentials') ?? 'default';
  if (!CREDENTIALS.test(credentials))
    return `"${credentials}" is no name of credentials; use small letters, digits and _`;
  return kind === 's3' ? s3Of(url, given, credentials) : sftpOf(url, given, credentials);
}
