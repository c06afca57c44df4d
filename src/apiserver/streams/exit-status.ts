/**
 * How a command ended, as the error channel of exec and attach carries it. These are not answers of the API but
 * messages of the stream protocol, hence not an ApiError (kubelet pkg/cri/streaming/remotecommand/exec.go).
 */
import { internalError, isApiError } from "../../api/meta/errors.ts";

export type Ending =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "failed"; readonly error: unknown };

/** The Status of protocol v4 and later. */
export function statusOf(ending: Ending): string {
  if (ending.kind === "exited" && ending.code === 0) return JSON.stringify({ metadata: {}, status: "Success" });
  if (ending.kind === "failed") {
    const error = isApiError(ending.error) ? ending.error : internalError(textOf(ending));
    return JSON.stringify(error.status);
  }
  return JSON.stringify({
    metadata: {},
    status: "Failure",
    message: textOf(ending),
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(ending.code) }] },
  });
}

/** What older protocols carry: nothing for success, a sentence for failure. */
export function textOf(ending: Ending): string {
  if (ending.kind === "exited") {
    return ending.code === 0 ? "" : `command terminated with non-zero exit code: exit status ${ending.code}`;
  }
  const { error } = ending;
  return `error executing command in container: ${error instanceof Error ? error.message : String(error)}`;
}
