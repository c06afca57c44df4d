import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SecurityContext } from "../../../api/core/types.gen.ts";
import { ContainerStartError } from "../../runtime.ts";

export interface ContainerUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  /** From the image's passwd file; `/` when it knows no such user. */
  readonly home: string;
}

/**
 * Who a container's program runs as: the pod's word over the image's (`user`, `user:group`, names or numbers, looked
 * up in the image's own passwd and group files; image-spec config.md "User"). Throws ContainerStartError.
 */
export function containerUser(root: string, imageUser: string, security: SecurityContext): ContainerUser {
  const users = entries(root, "etc/passwd");
  const groups = entries(root, "etc/group");
  const [userWord = "", groupWord = ""] = imageUser.split(":");
  const wanted = security.runAsUser === undefined ? userWord : String(security.runAsUser);
  const entry = find(users, wanted === "" ? "0" : wanted);
  const uid = numberOf(wanted === "" ? "0" : wanted, entry?.[2], "user", imageUser);
  assertNonRoot(uid, security, wanted);
  const gid =
    security.runAsGroup ??
    (groupWord !== "" && security.runAsUser === undefined
      ? numberOf(groupWord, find(groups, groupWord)?.[2], "group", imageUser)
      : Number(entry?.[3] ?? 0));
  const name = entry?.[0];
  const member = groups.filter((group) => name !== undefined && (group[3] ?? "").split(",").includes(name));
  return { uid, gid, additionalGids: member.map((group) => Number(group[2])), home: entry?.[5] || "/" };
}

/** What the kubelet says (pkg/kubelet/kuberuntime/security_context.go). */
function assertNonRoot(uid: number, { runAsNonRoot }: SecurityContext, wanted: string): void {
  if (runAsNonRoot !== true || uid !== 0) return;
  const message =
    wanted === ""
      ? "container has runAsNonRoot and image will run as root"
      : "container's runAsUser breaks non-root policy";
  throw new ContainerStartError("CreateContainerConfigError", `${message}: set securityContext.runAsUser`);
}

function numberOf(word: string, found: string | undefined, what: string, imageUser: string): number {
  if (found !== undefined) return Number(found);
  if (/^\d+$/.test(word)) return Number(word);
  throw new ContainerStartError(
    "CreateContainerConfigError",
    `the image runs as "${imageUser}", but its own files know no ${what} "${word}": set securityContext.runAsUser`,
  );
}

type Entry = readonly string[];

const find = (list: readonly Entry[], word: string): Entry | undefined =>
  list.find((entry) => entry[0] === word) ?? (/^\d+$/.test(word) ? list.find((entry) => entry[2] === word) : undefined);

/** Lines of a colon-separated file of the image. A link could lead out of the image: such a file counts as absent. */
function entries(root: string, file: string): readonly Entry[] {
  let fd: number;
  try {
    fd = openSync(join(root, file), constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch {
    return [];
  }
  try {
    return readFileSync(fd, "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => line.split(":"));
  } finally {
    closeSync(fd);
  }
}
