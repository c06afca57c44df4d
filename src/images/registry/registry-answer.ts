import { ImageError, type ImageErrorReason } from "../image-error.ts";

export interface Asked {
  /** `pull docker.io/library/nginx:1`: what the user wanted, for messages. */
  readonly task: string;
  readonly registry: string;
  readonly method: string;
  readonly url: string;
}

export interface FailedAnswer {
  readonly status: number;
  readonly body: string;
  /** Whether credentials went with it. */
  readonly authenticated: boolean;
}

/** A registry's answer that ends the task, in words: what, where, what to do. */
export function explainAnswer(asked: Asked, answer: FailedAnswer): ImageError {
  const { registry, task } = asked;
  const said = registryWords(answer.body);
  const details = `${asked.method} ${asked.url} answered ${answer.status}${said === "" ? "" : `: ${said}`}`;
  const fail = (reason: ImageErrorReason, words: string): ImageError =>
    new ImageError(reason, `cannot ${task}: ${words} (${details})`);
  const login = `"docker login ${registry}" or "podman login --authfile ~/.docker/config.json ${registry}"`;
  switch (answer.status) {
    case 401:
      return answer.authenticated
        ? fail("unauthorized", `${registry} refuses the credentials it is given; log in again with ${login}`)
        : fail("unauthorized", `${registry} wants a login, or has no such public repository; log in with ${login}`);
    case 403:
      return fail("denied", `this login may not do that at ${registry}; ask for access, or log in as another user`);
    case 404:
      return fail("not-found", `${registry} has no such image; check its name and tag`);
    case 413:
      return fail("too-large", `${registry} does not take anything that large; its operator sets the limit`);
    case 429:
      return fail("throttled", `${registry} asks to slow down, and still does after waiting; try later, or log in`);
    default:
      if (answer.status >= 500) return fail("unavailable", `${registry} is in trouble; try again later`);
      return fail("protocol", `${registry} does not understand what it is asked`);
  }
}

/** The messages of an error body as the specification has it; the beginning of any other text. */
function registryWords(body: string): string {
  try {
    const { errors } = JSON.parse(body) as {
      readonly errors?: readonly { readonly code?: string; readonly message?: string }[];
    };
    if (Array.isArray(errors))
      return errors
        .map(({ code, message }) => message ?? code ?? "")
        .join("; ")
        .slice(0, 500);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return body.trimStart().startsWith("<") ? "a page of HTML" : body.trim().slice(0, 200);
}

/** A connection that could not be made or broke, in words. */
export function explainBreak(asked: Asked, error: unknown, tries: number): ImageError {
  const { code = "", message } =
    (error as { readonly cause?: NodeJS.ErrnoException }).cause ?? (error as NodeJS.ErrnoException);
  const { host } = new URL(asked.url);
  const often = tries > 1 ? `, ${tries} times` : "";
  return new ImageError(
    "unavailable",
    `cannot ${asked.task}: ${breakWords(code, host, message)}${often}; ${remedy(code)}`,
    {
      cause: error,
    },
  );
}

function breakWords(code: string, host: string, message: string): string {
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `the name "${host}" cannot be found`;
  if (code === "ECONNREFUSED") return `nothing listens at ${host}`;
  if (/CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME/.test(code)) return `the certificate of ${host} is not trusted (${message})`;
  if (/TIMEOUT|ETIMEDOUT/.test(code)) return `${host} does not answer in time`;
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "EPROTO") return `${host} does not speak TLS`;
  return `the connection to ${host} broke (${message})`;
}

function remedy(code: string): string {
  if (/CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME/.test(code))
    return "give its authority with --ca or NODE_EXTRA_CA_CERTS, or --insecure to trust it anyway";
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "EPROTO") return "--insecure speaks plain HTTP to it";
  if (code === "ENOTFOUND" || code === "ECONNREFUSED") return "check the image's name and the network";
  return "run it again: what arrived is kept";
}
