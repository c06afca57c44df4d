import { expect, test } from "vitest";
import { planPrivateRoot } from "./private-root.ts";

const tree: Readonly<
  Record<string, readonly { readonly name: string; readonly target?: string; readonly isFile?: boolean }[]>
> = {
  "/": [
    { name: "bin", target: "usr/bin" },
    { name: "usr" },
    { name: "proc" },
    { name: "var" },
    { name: "swapfile", isFile: true },
  ],
  "/var": [{ name: "lib" }, { name: "log" }, { name: "run", target: "/run" }],
};
const list = (dir: string) => tree[dir] ?? [];
const mountPoints = ["/proc", "/var/lib"];

test("directories without mounts get a copy of their own, those with mounts are shown as they are", () => {
  expect(planPrivateRoot({ list, mountPoints, toMake: [] })).toEqual([
    { kind: "link", path: "/bin", target: "usr/bin" },
    { kind: "overlay", path: "/usr" },
    { kind: "rbind", path: "/proc" },
    { kind: "rbind", path: "/var" },
    { kind: "rbind", path: "/swapfile" },
  ]);
});

test("a directory with mounts in which a mount point must be made is put together from its parts", () => {
  const parts = planPrivateRoot({ list, mountPoints, toMake: ["/var/log/app/data"] });
  expect(parts.filter(({ path }) => path.startsWith("/var"))).toEqual([
    { kind: "directory", path: "/var" },
    { kind: "rbind", path: "/var/lib" },
    { kind: "overlay", path: "/var/log" },
    { kind: "link", path: "/var/run", target: "/run" },
  ]);
});

test("a mount point to be made in the root itself needs nothing: the root is made anew", () => {
  const parts = planPrivateRoot({ list, mountPoints, toMake: ["/data"] });
  expect(parts.map(({ kind }) => kind)).toEqual(["link", "overlay", "rbind", "rbind", "rbind"]);
});
