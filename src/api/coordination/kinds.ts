import { kind } from "../meta/kind.ts";
import type { Lease } from "./types.gen.ts";

export const LeaseKind = kind<Lease>({ group: "coordination.k8s.io", version: "v1", kind: "Lease", plural: "leases" });
