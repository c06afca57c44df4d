/** Written down in the api room, so that the API server can implement it without knowing this one. */
export type { Client } from "../api/meta/client.ts";
