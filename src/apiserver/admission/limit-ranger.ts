import type { Container, LimitRange, LimitRangeItem, Pod } from "../../api/core/types.gen.ts";
import { forbidden } from "../../api/meta/errors.ts";
import type { Mutable } from "../../api/meta/object.ts";
import { compareQuantities, parseQuantity, quantityNumber } from "../../api/meta/quantity.ts";
import { podAmounts, type Amounts } from "./pod-resources.ts";
import type { AdmissionRequest, AdmissionStep } from "./admission.ts";

/** Gives containers the default requests and limits of their namespace's LimitRanges, and refuses what is outside them. */
export const limitRanger: AdmissionStep = {
  name: "LimitRanger",
  mutate(request) {
    const items = itemsFor(request);
    if (items.length === 0) return;
    const pod = request.object as unknown as Mutable<Pod>;
    const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
    for (const item of items) if (item.type === "Container") all.forEach((container) => fill(container, item));
  },
  validate(request) {
    const pod = request.object as unknown as Pod;
    const problems = itemsFor(request).flatMap((item) => problemsOf(pod, item));
    if (problems.length === 0) return;
    const text = problems.length === 1 ? problems[0] : `[${problems.join(", ")}]`;
    throw forbidden(request.served.definition.kind, request.name, text ?? "");
  },
};

function itemsFor({
  operation,
  served,
  subresource,
  namespace,
  store,
  object,
}: AdmissionRequest): readonly LimitRangeItem[] {
  if (operation !== "create" || served.resource !== "/pods" || subresource || !object?.["spec"]) return [];
  return store.list("/limitranges", namespace).flatMap((entry) => (entry.object as LimitRange).spec?.limits ?? []);
}

function fill(container: Mutable<Container>, item: LimitRangeItem): void {
  const resources = (container.resources ??= {});
  const given = { limits: { ...resources.limits }, requests: { ...resources.requests } };
  // A limit the container names itself is its request too, before any default.
  const requests = { ...item.defaultRequest, ...given.limits, ...given.requests };
  const limits = { ...item.default, ...given.limits };
  if (Object.keys(requests).length > 0) resources.requests = requests;
  if (Object.keys(limits).length > 0) resources.limits = limits;
}

function problemsOf(pod: Pod, item: LimitRangeItem): string[] {
  if (item.type === "Pod")
    return compare(item, { requests: podAmounts(pod, "requests"), limits: podAmounts(pod, "limits") });
  if (item.type !== "Container") return [];
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers].flatMap(({ resources }) =>
    compare(item, { requests: amounts(resources?.requests), limits: amounts(resources?.limits) }),
  );
}

const amounts = (values: Readonly<Record<string, string>> = {}): Amounts =>
  new Map(Object.entries(values).map(([name, value]) => [name, parseQuantity(value)]));

interface Asked {
  readonly requests: Amounts;
  readonly limits: Amounts;
}

function compare(item: LimitRangeItem, asked: Asked): string[] {
  return [...minimumProblems(item, asked), ...maximumProblems(item, asked), ...ratioProblems(item, asked)];
}

function minimumProblems({ type, min = {} }: LimitRangeItem, { requests, limits }: Asked): string[] {
  return Object.entries(min).flatMap(([name, least]) => {
    const head = `minimum ${name} usage per ${type} is ${least}`;
    const [request, limit] = [requests.get(name), limits.get(name)];
    if (!request) return [`${head}.  No request is specified`];
    const low = parseQuantity(least);
    if (compareQuantities(request, low) < 0) return [`${head}, but request is ${quantityNumber(request)}`];
    return limit && compareQuantities(limit, low) < 0 ? [`${head}, but limit is ${quantityNumber(limit)}`] : [];
  });
}

function maximumProblems({ type, max = {} }: LimitRangeItem, { requests, limits }: Asked): string[] {
  return Object.entries(max).flatMap(([name, most]) => {
    const head = `maximum ${name} usage per ${type} is ${most}`;
    const [request, limit] = [requests.get(name), limits.get(name)];
    if (!limit) return [`${head}.  No limit is specified`];
    const high = parseQuantity(most);
    if (compareQuantities(limit, high) > 0) return [`${head}, but limit is ${quantityNumber(limit)}`];
    return request && compareQuantities(request, high) > 0
      ? [`${head}, but request is ${quantityNumber(request)}`]
      : [];
  });
}

function ratioProblems({ type, maxLimitRequestRatio = {} }: LimitRangeItem, { requests, limits }: Asked): string[] {
  return Object.entries(maxLimitRequestRatio).flatMap(([name, most]) => {
    const [request, limit] = [requests.get(name), limits.get(name)];
    const head = `${name} max limit to request ratio per ${type} is ${most}`;
    if (!request || !limit) return [`${head}, but no request is specified or request is 0`];
    const ratio = quantityNumber(limit) / quantityNumber(request);
    return ratio > quantityNumber(parseQuantity(most)) ? [`${head}, but provided ratio is ${ratio.toFixed(6)}`] : [];
  });
}
