import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { buildImage, type LayerSource } from "../build-image.ts";
import type { LayerDirectory, LayerFile } from "../layer.ts";
import { platformOf, type RunConfig } from "../oci.ts";
import type { ImageStore } from "../store.ts";
import { sharedLibraries } from "./shared-libraries.ts";

export interface BaseImage {
  /** `dev.local/base/node`. */
  readonly repository: string;
  readonly version: string;
  /** Programs and loadable modules whose shared libraries are needed. */
  readonly programs: readonly string[];
  readonly files: readonly LayerFile[];
  readonly config: RunConfig;
}

export interface MadeBase {
  /** `dev.local/base/node:26.10.0`; also `:latest`. */
  readonly name: string;
  readonly digest: string;
}

const caFiles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/cert.pem",
  "/etc/ssl/ca-bundle.pem",
];

const directories: readonly LayerDirectory[] = [
  { path: "tmp", mode: 0o1777 },
  { path: "var/tmp", mode: 0o1777 },
  { path: "proc", mode: 0o555 },
  { path: "sys", mode: 0o555 },
  { path: "dev", mode: 0o755 },
  { path: "run", mode: 0o755 },
];

/**
 * Makes a base image out of this machine: the programs, the libraries they load, certificates, and the few files of
 * /etc that programs ask for. No shell, no package manager. The same files give the same digest.
 */
export async function makeBase(store: ImageStore, base: BaseImage): Promise<MadeBase> {
  const system: LayerSource = {
    kind: "files",
    files: [...(await sharedLibraries(base.programs)), ...(await etcFiles())],
    directories,
  };
  const name = `${base.repository}:${base.version}`;
  const { architecture } = platformOf(process.arch);
  const source = {
    layers: [system, { kind: "files", files: base.files }] as const,
    architecture,
    config: {
      User: "65532:65532",
      WorkingDir: "/",
      ...base.config,
      Env: [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG=C.UTF-8",
        "HOME=/tmp",
        "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
        ...(base.config.Env ?? []),
      ],
    },
    annotations: {
      "org.opencontainers.image.title": base.repository,
      "org.opencontainers.image.version": base.version,
    },
  };
  const digest = await buildImage(store, name, source);
  const made = store.find(name);
  if (made) await store.tag(`${base.repository}:latest`, { ...made, digest });
  return { name, digest };
}

async function etcFiles(): Promise<readonly LayerFile[]> {
  const certificates = caFiles.find((file) => existsSync(file));
  return [
    {
      path: "etc/passwd",
      content:
        "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/tmp:/sbin/nologin\n",
    },
    { path: "etc/group", content: "root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n" },
    { path: "etc/nsswitch.conf", content: "hosts: files dns\n" },
    ...(certificates === undefined
      ? []
      : [{ path: "etc/ssl/certs/ca-certificates.crt", content: "", file: await realpath(certificates) }]),
  ];
}
