import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { dataDirOf } from "../target.ts";
import type { Command } from "../command.ts";
import { deploy } from "./deploy.ts";
import { portSuffix, startFromOptions, untilStopped, upOptions } from "./up.ts";

/** What `npm start` runs. */
export const start: Command = {
  name: "start",
  summary: "start ebb with an example function live",
  description: "What npm start runs in a clone: `ebb up`, then `ebb deploy examples/hello`.",
  options: upOptions,
  run: async (context, input) => {
    const ebb = await startFromOptions(context, input);
    const { running } = ebb;
    const data = dataDirOf(context, input);
    const example = fileURLToPath(new URL("../../../examples/hello", import.meta.url));
    if (existsSync(example)) await deploy.run?.(context, { args: [example], options: { data, namespace: "default" } });
    const suffix = portSuffix(running.routerUrl);
    // Commands below are printed to be pasted: what differs from the defaults has to be in them.
    const standard = dataDirOf({ ...context, env: {} }, { args: [], options: {} });
    const shown = data === standard ? "" : ` --data ${data}`;
    for (const line of [
      "",
      "A function is live. It sleeps when nobody calls; try it in another terminal:",
      `  curl "http://hello.default.${running.domain}${suffix}/?name=you"`,
      `  ./ebb invoke hello${shown}`,
      `  ./ebb get pods${shown}`,
      `  ./ebb dev examples/hello${shown}          (edits are live when saved)`,
      `  KUBECONFIG=${ebb.kubeconfig} kubectl get ksvc`,
      "",
      "Ctrl-C stops ebb; what you deployed is there again at the next start.",
    ])
      context.print(line);
    await untilStopped(context, ebb);
  },
};
