import { warmPoolLabel } from "../../api/ebb-keys.ts";

/** What warm pods and those that came of them are marked by. */
export const warmLabels = {
  /** On a pod that waits: the class of pods it is one of. */
  pool: warmPoolLabel,
  /** On a pod that was claimed; stays for its life. Its value is the host's name. */
  claimed: "ebb.dev/claimed-host",
} as const;

export const warmAnnotations = {
  /** Of a waiting pod: what it was made from; another value means that it is out of date. */
  version: "ebb.dev/warm-version",
  /** Of a claimed pod: the image whose function it runs, since its container's image is the host's. */
  image: "ebb.dev/function-image",
} as const;
