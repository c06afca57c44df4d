/** GitHubSource: a webhook that is made at GitHub when there is a token for it, and by hand otherwise. */
import type { SourceReader } from "../source-reader.ts";
import { gitHubEvent } from "./github-event.ts";
import { bringHook, removeHook, type GitHubSettings } from "./github-hook.ts";
import { openWebhook } from "./webhook-reader.ts";

/** GitHub sends no more. */
const maxBytes = 25 * 1024 * 1024;

export const gitHubReader: SourceReader = {
  kind: "GitHubSource",
  async open(given, context) {
    const settings = given as GitHubSettings;
    const { secretToken = "", eventTypes: wanted = [], accessToken, secure } = settings;
    const opened = await openWebhook(context, {
      verify: { scheme: "github", secret: secretToken },
      maxBytes,
      eventOf: (request) => gitHubEvent(request, { source: context.sourceOf(), wanted, nowMs: context.clock.now() }),
    });
    if (!accessToken || context.helps) {
      context.report({ connected: true, facts: { "webhook.url": opened.url } });
      return opened;
    }
    const url = secure === undefined ? opened.url : opened.url.replace(/^https?:/, secure ? "https:" : "http:");
    try {
      const id = await bringHook(settings, url);
      context.report({ connected: true, facts: { "webhook.url": opened.url, "webhook.id": id } });
      return {
        async close(options) {
          await opened.close(options);
          if (options.forget) await removeHook(settings, id);
        },
      };
    } catch (error) {
      await opened.close({ forget: false });
      throw error;
    }
  },
};
