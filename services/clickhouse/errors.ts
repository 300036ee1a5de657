/** Something a person can act on: the message says what, where and what to do. */
export class ActionableError extends Error {
  override readonly name = 'ActionableError';
}

/** The server or the engine host could not be reached, or went away while it answered. Trying again may help. */
export class LedgerAwayError extends ActionableError {}

/** ClickHouse refused what a statement carried, not the statement: some row of it does not fit. Trying again changes nothing. */
export class RefusedRowError extends ActionableError {}

/** There is no ledger yet, or not one that this version can read. Somebody else makes it: waiting helps. */
export class LedgerNotThereError extends ActionableError {}

/** What was asked is right, but something that is there stands against it, like a name that is taken. */
export class ConflictError extends ActionableError {}

/** Marks were computed under a configuration that no longer holds. */
export class ConfigurationChangedError extends ActionableError {}
