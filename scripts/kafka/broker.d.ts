/** A real Kafka broker on this machine, for development and tests: one node, loopback only. */

export interface BrokerUser {
  /** Letters, digits and `_.~-`, like the password. */
  readonly name: string;
  readonly password: string;
}

export interface BrokerOptions {
  /** Made when it is not there. Topics, settings, certificates and `kafka.log` are all in it. */
  readonly dataDir: string;
  /** Of the plain listener; any free one when left out. */
  readonly port?: number;
  /** Adds a listener with TLS that takes these users by PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. */
  readonly secure?: { readonly users: readonly BrokerUser[] };
  /** Broker properties that override ours. */
  readonly properties?: Readonly<Record<string, string>>;
}

export interface SecureListener {
  readonly brokers: string;
  /** The certificate to trust, as PEM. */
  readonly caFile: string;
  readonly users: readonly BrokerUser[];
}

export interface Broker {
  readonly brokers: string;
  readonly secure: SecureListener | null;
  /** Of the broker's own process; another one after a restart, null when none runs. */
  readonly pid: number | null;
  /** Ends it cleanly (SIGTERM) and waits until it is gone. */
  stop(): Promise<void>;
  /** Ends it the hard way (SIGKILL) and waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same data and ports, after a clean stop when it still runs. */
  restart(): Promise<void>;
  /** Resolves when the process that runs now has ended, whoever ended it. */
  ended(): Promise<void>;
}

/** Why no broker can be started here, as a sentence; null when one can. */
export function kafkaUnavailable(): string | null;

/** Fetches Kafka's jars unless they are here, and gives their directory. Several processes may do so at once. */
export function installKafka(): string;

/** Starts a broker and resolves when it takes connections. It ends with this process at the latest. */
export function startBroker(options: BrokerOptions): Promise<Broker>;
