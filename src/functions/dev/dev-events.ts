import type { Problem } from "./problem.ts";

/** What happens while developing, for a terminal or as JSON, in the order in which it happens. */
export type DevEvent =
  | { readonly type: "building"; readonly function: string; readonly changed: readonly string[] }
  /** A tool's progress: installing, compiling. */
  | { readonly type: "progress"; readonly function: string; readonly message: string }
  /** The newest source answers from now on. `ms` counts from the save, or from the start for version 1. */
  | {
      readonly type: "live";
      readonly function: string;
      readonly version: number;
      readonly ms: number;
      readonly warnings: readonly string[];
    }
  /** The newest source does not; `serving` is the version that goes on answering, if there is one. */
  | {
      readonly type: "broken";
      readonly function: string;
      readonly serving: number | undefined;
      readonly problem: Problem;
    }
  /** A change that made no difference to what runs; `mended`: what answers is the newest source again. */
  | { readonly type: "unchanged"; readonly function: string; readonly mended: boolean; readonly ms: number }
  | {
      readonly type: "output";
      readonly function: string;
      readonly stream: "stdout" | "stderr";
      readonly line: string;
    }
  | { readonly type: "exited"; readonly function: string; readonly how: string }
  | {
      readonly type: "request";
      readonly function: string;
      readonly method: string;
      readonly path: string;
      readonly status: number;
      readonly ms: number;
    };

export type Emit = (event: DevEvent) => void;
