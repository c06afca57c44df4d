/** The webhook at GitHub that a source asks for (REST API: repository and organization webhooks). */
import type { GitHubSourceSpec } from "../../../api/sources/types-stores.gen.ts";
import type { Resolved } from "../resolved-settings.ts";

export type GitHubSettings = Resolved<GitHubSourceSpec> & { readonly ownerAndRepository: string };

const askMs = 15_000;

interface Hook {
  readonly id: number;
  readonly config?: { readonly url?: string };
}

/** Makes the webhook, or brings in line the one that has the same address. Resolves to its id. */
export async function bringHook(settings: GitHubSettings, url: string): Promise<string> {
  const { eventTypes = [], secretToken } = settings;
  const wanted = {
    name: "web",
    active: true,
    events: eventTypes,
    config: { url, content_type: "json", insecure_ssl: "0", secret: secretToken },
  };
  const known = ((await ask(settings, "GET", "?per_page=100")) as readonly Hook[]).find(
    (hook) => hook.config?.url === url,
  );
  const hook = (await (known
    ? ask(settings, "PATCH", `/${known.id}`, wanted)
    : ask(settings, "POST", "", wanted))) as Hook;
  return String(hook.id);
}

export async function removeHook(settings: GitHubSettings, id: string): Promise<void> {
  await ask(settings, "DELETE", `/${id}`);
}

async function ask(settings: GitHubSettings, method: string, path: string, body?: object): Promise<unknown> {
  const { ownerAndRepository, accessToken = "", githubAPIURL } = settings;
  const owner = ownerAndRepository.includes("/") ? `repos/${ownerAndRepository}` : `orgs/${ownerAndRepository}`;
  const base = (githubAPIURL || "https://api.github.com").replace(/\/$/, "");
  const response = await fetch(`${base}/${owner}/hooks${path}`, {
    method,
    headers: {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${accessToken}`,
      "user-agent": "ebb",
      "x-github-api-version": "2022-11-28",
      ...(body ? { "content-type": "application/json" } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(askMs),
  }).catch((error: unknown) => {
    const why = error instanceof Error ? ((error.cause as Error | undefined)?.message ?? error.message) : String(error);
    throw new Error(`GitHub at ${base} cannot be reached (${why}): check spec.githubAPIURL`, { cause: error });
  });
  const text = await response.text();
  if (response.ok || (method === "DELETE" && response.status === 404)) return text === "" ? {} : JSON.parse(text);
  throw new Error(
    `GitHub ${adviceOf(response.status, ownerAndRepository)}: it answered ${response.status} ${text.slice(0, 200)}`,
  );
}

const adviceOf = (status: number, repository: string): string =>
  status === 401
    ? "refused the token in spec.accessToken"
    : status === 403 || status === 404
      ? `does not let the token manage the webhooks of ${repository}: it needs the scope admin:repo_hook (or admin:org_hook), and the name must be right`
      : "did not make the webhook";
