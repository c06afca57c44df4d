import { isApiError } from "../api/meta/errors.ts";
import type { HttpClient } from "../client/http-client.ts";
import { CommandError } from "./command.ts";

/** Whether a failure says that the API server knows no such kind: an object that is not there has its name in it. */
export const isKindMissing = (error: unknown): boolean =>
  isApiError(error) && error.code === 404 && error.status.details?.name === undefined;

/** The failure to throw where Serving's kinds are not served. */
export function notInstalled({ config }: HttpClient): CommandError {
  const where = config.context === undefined ? config.server : `context "${config.context}" (${config.server})`;
  const flag = config.context === undefined ? "" : ` --context ${config.context}`;
  return new CommandError(
    `ebb is not installed at ${where}, nor is Knative Serving: its API server knows no services.serving.knative.dev; "ebb install${flag}" installs ebb`,
  );
}
