/** The files of deploy/: a kustomize base and a Helm chart, made from the same builders as `ebb install`. */
import type { KubeObject } from "../../api/meta/object.ts";
import { defaultNatsImage, defaultNatsStorage, type EventsOptions, type OwnNats } from "../bundle-options.ts";
import { makeBundle, objectsOf, type Bundle } from "../make-bundle.ts";
import { systemNamespace } from "../names.ts";
import { helmChecks, helmEventsTemplate, helmNotes, helmValues } from "./helm-templates.ts";
import { fileNameOf, yamlDocuments } from "./yaml-documents.ts";

const written = "# Written by scripts/gen-deploy.ts; do not edit.\n";

/** Text by path below deploy/. */
export function deployFiles(version: string): ReadonlyMap<string, string> {
  return new Map([...kustomizeFiles(version), ...helmFiles(version)]);
}

/** What users of the base set by kustomize's `images` and `replicas`. */
const baseImage = "ebb:latest";

const standardEvents = (
  replicas: number,
  image = defaultNatsImage,
  storage: OwnNats["storage"] = { size: defaultNatsStorage },
): EventsOptions => ({ replicas, nats: { kind: "own", image, servers: 1, storage } });

function kustomizeFiles(version: string): readonly [string, string][] {
  const bundle = makeBundle({
    version,
    image: baseImage,
    replicas: { controller: 2, router: 2 },
    serviceType: "LoadBalancer",
    events: standardEvents(2),
  });
  const files = filesOf(bundle).map(([name, objects]): [string, string] => [name, written + yamlDocuments(objects)]);
  const kustomization = {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    resources: files.map(([name]) => name),
  };
  return [["kustomization.yaml", written + yamlDocuments([kustomization])] as [string, string], ...files].map(
    ([name, text]) => [`base/${name}`, text],
  );
}

/** One file per CRD, which are long, and one per part for the rest. */
function filesOf(bundle: Bundle): readonly [string, readonly KubeObject[]][] {
  const { crds, ...rest } = bundle;
  return [
    ...crds.map((crd): [string, readonly KubeObject[]] => [`crds/${fileNameOf(crd)}.yaml`, [crd]]),
    ...Object.entries(rest)
      .filter(([, objects]) => objects.length > 0)
      .map(([part, objects]): [string, readonly KubeObject[]] => [`${part}.yaml`, objects]),
  ];
}

/** Values stand in the chart where these stand in objects. */
const stand: readonly (readonly [standsFor: string, value: string])[] = [
  ["image-of-the-values", '{{ required "image: name the image of ebb itself" .Values.image | quote }}'],
  ["990001", "{{ .Values.replicas.controller }}"],
  ["990002", "{{ .Values.replicas.router }}"],
  ["990003", "{{ .Values.replicas.events }}"],
  ["image-of-nats", "{{ .Values.nats.image | quote }}"],
  ["size-of-nats", "{{ .Values.nats.storage | quote }}"],
  ["LoadBalancer", "{{ .Values.service.type }}"],
];

function helmFiles(version: string): readonly [string, string][] {
  const options = {
    version,
    image: "image-of-the-values",
    replicas: { controller: 990_001, router: 990_002 },
    serviceType: "LoadBalancer",
  } as const;
  const withStorage = (storage: OwnNats["storage"]): Bundle =>
    makeBundle({ ...options, events: standardEvents(990_003, "image-of-nats", storage) });
  const bundle = withStorage({ size: "size-of-nats", className: classOfNats });
  const choices: Choices = {
    always: new Set(objectsOf(makeBundle(options)).map(fileNameOf)),
    ephemeral: new Map(objectsOf(withStorage("none")).map((object) => [fileNameOf(object), yamlDocuments([object])])),
  };
  const chart = {
    apiVersion: "v2",
    name: "ebb",
    description: "A serverless platform that scales to zero",
    type: "application",
    version,
    appVersion: version,
    kubeVersion: ">=1.30.0-0",
  };
  // Helm makes the namespace of a release itself.
  const namespaces = bundle.namespaces
    .filter(({ metadata }) => metadata.name !== systemNamespace)
    .map((object) => (object.kind === "Namespace" ? kept(object) : object));
  const templates = filesOf({
    ...bundle,
    crds: bundle.crds.map(kept),
    namespaces,
    settings: bundle.settings.map(kept),
  }).map(([name, objects]): [string, string] => [
    `templates/${name}`,
    written + withValues(templateOf(objects, choices)),
  ]);
  return [
    ["Chart.yaml", written + yamlDocuments([chart])] as [string, string],
    ["values.yaml", written + helmValues] as [string, string],
    ["templates/_events.tpl", helmEventsTemplate] as [string, string],
    ["templates/checks.yaml", written + helmChecks] as [string, string],
    ["templates/NOTES.txt", helmNotes] as [string, string],
    ...templates,
  ].map(([name, text]) => [`helm/ebb/${name}`, text]);
}

/** Kinds and settings outlive the release, lest an uninstall takes every user's Services with it, and their domain. */
const kept = (crd: KubeObject): KubeObject => ({
  ...crd,
  metadata: { ...crd.metadata, annotations: { "helm.sh/resource-policy": "keep" } },
});

interface Choices {
  /** Objects that are there without events, too; by the names of their files. */
  readonly always: ReadonlySet<string>;
  /** All objects of an installation whose events have no volumes. */
  readonly ephemeral: ReadonlyMap<string, string>;
}

/** What only events need is left out where nobody serves them; what has volumes has another form without. */
const templateOf = (objects: readonly KubeObject[], { always, ephemeral }: Choices): string =>
  objects
    .map((object) => {
      const name = fileNameOf(object);
      const text = yamlDocuments([object]);
      if (always.has(name)) return text;
      const without = ephemeral.get(name);
      const either =
        without === undefined || without === text
          ? text
          : `{{- if .Values.nats.ephemeral }}\n${without}{{- else }}\n${text}{{- end }}\n`;
      return `{{- if eq (include "ebb.events" .) "own" }}\n${either}{{- end }}\n`;
    })
    .join("---\n");

const classOfNats = "class-of-nats";
/** A line of its own, which goes where the cluster's default class is meant. */
const classLine = new RegExp(`^( *)storageClassName: ${classOfNats}$`, "gm");

const withClass = (text: string): string =>
  text.replace(classLine, "$1{{- with .Values.nats.storageClass }}\n$1storageClassName: {{ . | quote }}\n$1{{- end }}");

const withValues = (text: string): string =>
  withClass(stand.reduce((done, [standsFor, value]) => done.replaceAll(standsFor, value), text));
