/** Facts about the product, for the foot of each page. */
export interface About {
  readonly version: string;
  /** SPDX identifier. */
  readonly license: string;
  /** Where the ledger is: the data directory, or the address and database of a ClickHouse server. */
  readonly place: string;
}
