/** Sources that read NATS, as the API server serves them. */
import { ageAndReady, eventingKindFacts, sinkColumn } from "../eventing/columns.ts";
import { nameColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import { parseDuration } from "../meta/duration.ts";
import { column } from "../serving/columns.ts";
import { each, invalidValue, missingField, multipleOneOf, type Problem, type Problems } from "../serving/problems.ts";
import { schemaOf } from "../schemas.ts";
import { NatsJetStreamSourceKind, NatsSourceKind } from "./kinds.ts";
import { checkSecretValue, messageSourceRules } from "./message-source.ts";
import type { NatsAuth, NatsJetStreamSource, NatsJetStreamSourceSpec, NatsSource, NatsTls } from "./types-ebb.gen.ts";

const subjectPattern = /^[^\s.]+(\.[^\s.]+)*$/;

export const natsJetStreamSourceDefinition: KindDefinition<NatsJetStreamSource> = {
  ...eventingKindFacts,
  kind: NatsJetStreamSourceKind,
  schema: () => schemaOf("sources.ebb.v1alpha1.NatsJetStreamSource"),
  columns: [
    nameColumn,
    column<NatsJetStreamSource>("Stream", "What it reads.", ".spec.stream", ({ spec }) => spec.stream ?? ""),
    sinkColumn,
    ...ageAndReady,
  ],
  ...messageSourceRules<NatsJetStreamSource>(NatsJetStreamSourceKind, {
    fill: (spec) => {
      spec.deliverPolicy ||= "New";
      spec.maxAckPending ??= 100;
    },
    check: (spec) => [
      ...checkConnection(spec),
      ...(spec.stream ? [] : [missingField("stream")]),
      ...each("subjects", spec.subjects, checkSubject),
      ...checkStart(spec),
      ...checkAckWait(spec.ackWait),
      ...((spec.maxAckPending ?? 1) < 1 ? [invalidValue(spec.maxAckPending, "maxAckPending", "at least 1")] : []),
    ],
  }),
};

export const natsSourceDefinition: KindDefinition<NatsSource> = {
  ...eventingKindFacts,
  kind: NatsSourceKind,
  schema: () => schemaOf("sources.ebb.v1alpha1.NatsSource"),
  columns: [
    nameColumn,
    column<NatsSource>("Subjects", "What it reads.", ".spec.subjects", ({ spec }) =>
      spec.subjects ? JSON.stringify(spec.subjects) : "",
    ),
    sinkColumn,
    ...ageAndReady,
  ],
  ...messageSourceRules<NatsSource>(NatsSourceKind, {
    fill: (spec) => {
      spec.maxInFlight ??= 100;
    },
    check: (spec) => [
      ...checkConnection(spec),
      ...(spec.subjects?.length ? [] : [missingField("subjects")]),
      ...each("subjects", spec.subjects, checkSubject),
      ...((spec.maxInFlight ?? 1) < 1 ? [invalidValue(spec.maxInFlight, "maxInFlight", "at least 1")] : []),
    ],
  }),
};

export const checkSubject = (subject: string): Problems =>
  subjectPattern.test(subject)
    ? []
    : [invalidValue(subject, "", "words with dots between them; * and > are wildcards")];

export function checkConnection({
  servers = [],
  auth,
  tls,
}: {
  readonly servers?: readonly string[];
  readonly auth?: NatsAuth;
  readonly tls?: NatsTls;
}): Problems {
  return [
    ...(servers.length === 0 ? [missingField("servers")] : []),
    ...each("servers", servers, (server) => {
      const url = URL.parse(server);
      if (!url || !["nats:", "tls:"].includes(url.protocol) || url.hostname === "")
        return [invalidValue(server, "", "such as nats://host:4222 or tls://host:4222")];
      if (url.password === "") return [];
      url.password = "xxx";
      return [
        invalidValue(url.href, "", "a password does not belong here: keep it in a Secret, and name that in auth"),
      ];
    }),
    ...Object.entries({ ...auth }).flatMap(([name, value]) => checkSecretValue(`auth.${name}`, value)),
    ...checkAuth(auth),
    ...(["caCert", "cert", "key"] as const).flatMap((name) => checkSecretValue(`tls.${name}`, tls?.[name])),
  ];
}

function checkAuth(auth: NatsAuth | undefined): Problems {
  if (!auth) return [];
  const problems: Problem[] = [];
  if (Boolean(auth.user) !== Boolean(auth.password))
    problems.push(missingField(auth.user ? "auth.password" : "auth.user"));
  const ways = (["user", "token", "seed", "credentials"] as const).filter((way) => auth[way]);
  if (ways.length > 1) problems.push(multipleOneOf(...ways.map((way) => `auth.${way}`)));
  return problems;
}

function checkStart({ deliverPolicy, optStartSeq, optStartTime }: NatsJetStreamSourceSpec): Problems {
  if (deliverPolicy === "ByStartSequence" && !optStartSeq) return [missingField("optStartSeq")];
  if (deliverPolicy === "ByStartTime" && !optStartTime) return [missingField("optStartTime")];
  return [];
}

function checkAckWait(text: string | undefined): Problems {
  if (text === undefined) return [];
  const ms = parseDuration(text);
  return ms !== undefined && ms >= 1000
    ? []
    : [invalidValue(text, "ackWait", "a duration of one second or more, such as 30s")];
}
