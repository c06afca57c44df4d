import type { Client } from "../client/client.ts";
import type { Clock } from "../client/clock.ts";
import type { Informers } from "../client/informer.ts";
import type { Logger } from "../telemetry/logger.ts";

/** What every controller of core kinds works with. */
export interface CoreDeps {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly log: Logger;
}
