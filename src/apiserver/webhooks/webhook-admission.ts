/**
 * Webhooks in a pipeline that never waits: a step that needs an answer it does not have ends the write with
 * {@link WebhooksNeeded}; whoever started the write asks, and runs it again from the beginning with the answers. An
 * answer counts for exactly what was asked: had the object changed meanwhile, it is asked again.
 */
import { badRequest, failure, internalError } from "../../api/meta/errors.ts";
import { generateName } from "../../api/meta/names.ts";
import type { AdmissionRequest, AdmissionStep } from "../admission/admission.ts";
import { jsonPatch } from "../patch/json-patch.ts";
import type { Served } from "../registry/catalog.ts";
import { checkTypes, toServed, toStored } from "../registry/intake.ts";
import type { Registry } from "../registry/registry.ts";
import type { Caller, Incoming } from "../registry/request.ts";
import type { JsonObject } from "../schema/json-value.ts";
import { askWebhook, type AskDeps } from "./ask.ts";
import type { Hook, Hooks } from "./hook.ts";
import { conditionsHold, isSelected, versionFor } from "./matching.ts";
import { makeReview, type Answer, type Review } from "./review.ts";

interface Question {
  readonly key: string;
  readonly hook: Hook;
  readonly review: Review;
}

/** Answers had so far, by what was asked of whom. */
export type Answers = Map<string, Answer>;

/** Not a failure: the write is to be run again with answers to these. */
class WebhooksNeeded extends Error {
  readonly questions: readonly Question[];

  constructor(questions: readonly Question[]) {
    super("webhooks have to be asked");
    this.questions = questions;
  }
}

/** The admission step; it acts on writes that are run by {@link runWithWebhooks} only. */
export function webhookStep(hooks: Hooks, registry: () => Registry): AdmissionStep {
  return {
    name: "AdmissionWebhook",
    mutate(request) {
      if (request.webhooks && isReviewed(request)) mutate(hooks, registry(), request, request.webhooks);
    },
    validate(request) {
      if (!request.webhooks || !isReviewed(request)) return;
      // A deletion passes here only, and has nothing that could be changed.
      const sorts = request.operation === "delete" ? (["mutating", "validating"] as const) : (["validating"] as const);
      const asked = sorts
        .flatMap((sort) => hooks.of(sort))
        .flatMap((hook) => questionFor(hook, request, registry()) ?? []);
      const missing = asked.filter(({ key }) => !request.webhooks?.has(key));
      if (missing.length > 0) throw new WebhooksNeeded(missing);
      for (const { key, hook } of asked) checkAnswer(hook, request, request.webhooks.get(key));
    },
  };
}

/** A Scale or Binding is no object of the kind that is stored: those writes are not put before webhooks. */
const isReviewed = ({ subresource }: AdmissionRequest): boolean => subresource !== "scale" && subresource !== "binding";

function questionFor(
  hook: Hook,
  request: AdmissionRequest,
  { catalog }: Registry,
): (Question & { readonly asked: Served }) | undefined {
  const asked = versionFor(hook, request, catalog);
  if (!asked || !isSelected(hook, request)) return undefined;
  const review = makeReview(request, asked);
  if (!conditionsHold(hook, review, request)) return undefined;
  if (request.dryRun && hook.spec.sideEffects !== "None" && hook.spec.sideEffects !== "NoneOnDryRun")
    throw badRequest(`admission webhook ${JSON.stringify(hook.spec.name)} does not support dry run`);
  return { key: `${hook.id} ${JSON.stringify(review)}`, hook, review, asked };
}

/** In their order, each seeing what the one before made of it; those that want it once more when that changed. */
function mutate(hooks: Hooks, registry: Registry, request: AdmissionRequest, answers: Answers): void {
  const changedSince = new Set<Hook>();
  const ask = (hook: Hook): void => {
    const question = questionFor(hook, request, registry);
    if (!question) return;
    const answer = answers.get(question.key);
    if (!answer) throw new WebhooksNeeded([question]);
    checkAnswer(hook, request, answer);
    if (!answer.patch || answer.patch.length === 0) return;
    const before = JSON.stringify(request.object);
    applyPatch(request, question.asked, answer.patch);
    if (JSON.stringify(request.object) === before) return;
    for (const earlier of asked) if (earlier !== hook) changedSince.add(earlier);
  };
  const asked: Hook[] = [];
  for (const hook of hooks.of("mutating")) {
    ask(hook);
    asked.push(hook);
  }
  for (const hook of asked)
    if (changedSince.has(hook) && "reinvocationPolicy" in hook.spec && hook.spec.reinvocationPolicy === "IfNeeded")
      ask(hook);
}

const kept = [
  "name",
  "generateName",
  "namespace",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
] as const;

/** Changes the object in place, as admission does; what only the server sets stays. */
function applyPatch(request: AdmissionRequest, asked: Served, patch: readonly unknown[]): void {
  const { object, old, context } = request;
  if (!object) return;
  const patched = jsonPatch(toServed(asked, object) as Incoming & JsonObject, patch) as Incoming & JsonObject;
  checkTypes(asked, patched, old && toServed(asked, old));
  const next = toStored(asked, patched);
  const metadata: Record<string, unknown> = { ...next.metadata };
  for (const field of kept) {
    const value = object.metadata[field];
    if (value === undefined) delete metadata[field];
    else metadata[field] = value;
  }
  for (const field of Object.keys(object)) delete object[field];
  Object.assign(object, next, { metadata });
  if (context && request.subresource !== "status") request.served.storage.applyDefaults?.(object, context);
}

/** Hands on warnings; throws what a refusal says (apiserver pkg/admission/plugin/webhook/errors/statuserror.go). */
function checkAnswer({ spec }: Hook, { warn }: AdmissionRequest, answer: Answer | undefined): void {
  for (const warning of answer?.warnings ?? []) warn?.(warning);
  if (!answer || answer.allowed) return;
  const { code = 0, reason = "", message = "", details } = answer.status ?? {};
  const denied = `admission webhook ${JSON.stringify(spec.name)} denied the request`;
  const why = message !== "" ? `: ${message}` : reason !== "" ? `: ${reason}` : " without explanation";
  throw failure(code < 400 ? 400 : code, reason, denied + why, details);
}

/** Runs a write, which must have done nothing when it throws and may be run any number of times. */
export type RunWrite = <T>(caller: Caller, act: (registry: Registry, caller: Caller) => T) => Promise<T> | T;

/** At once, in this turn, unless there are webhooks. */
export const writeRunner =
  (deps: Omit<AskDeps, "store"> & { readonly hooks: Hooks; readonly registry: Registry }): RunWrite =>
  (caller, act) =>
    deps.hooks.any() ? runWithWebhooks(deps, caller, act) : act(deps.registry, caller);

const maxRounds = 30;

/** Asks the webhooks a write needs and runs it again, until it goes through or is refused. */
async function runWithWebhooks<T>(
  { registry, log }: Omit<AskDeps, "store"> & { readonly registry: Registry },
  caller: Caller,
  act: (registry: Registry, caller: Caller) => T,
): Promise<T> {
  const answers: Answers = new Map();
  const replay = replaying(registry);
  for (let round = 0; round < maxRounds; round++) {
    const warnings = new Set<string>();
    try {
      const result = act(replay(), { ...caller, webhooks: answers, warn: (text) => void warnings.add(text) });
      for (const warning of warnings) caller.warn(warning);
      return result;
    } catch (error) {
      if (!(error instanceof WebhooksNeeded)) throw error;
      const asked = error.questions.map(async ({ key, hook, review }) =>
        answers.set(key, await askWebhook({ store: registry.store, log }, hook, review)),
      );
      await Promise.all(asked);
    }
  }
  throw internalError("the object kept changing while webhooks were asked about it");
}

/** The registry with one time, and with the same uids and generated names in every round. */
function replaying(registry: Registry): () => Registry {
  const now = registry.now();
  const uids: string[] = [];
  const names: string[] = [];
  return () => {
    let [uid, name] = [0, 0];
    return {
      ...registry,
      now: () => now,
      newUid: () => (uids[uid++] ??= registry.newUid()),
      generateName: (base) => (names[name++] ??= generateName(base)),
    };
  };
}
