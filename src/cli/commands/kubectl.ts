import { spawn } from "node:child_process";
import { join } from "node:path";
import { CommandError, type Command } from "../command.ts";
import { dataDirOf, runningOf } from "../target.ts";

export const kubectl: Command = {
  name: "kubectl",
  summary: "run kubectl against this ebb",
  description: "Runs the kubectl on your PATH with the kubeconfig of the running ebb (EBB_DATA or ~/.ebb).",
  args: [{ name: "[args...]", summary: "what kubectl is to do" }],
  examples: ["ebb kubectl get pods -A", "ebb kubectl apply -f service.yaml"],
  passThrough: true,
  run: async (context, input) => {
    const none = { args: [], options: {} };
    runningOf(context, none);
    const kubeconfig = join(dataDirOf(context, none), "kubeconfig");
    const child = spawn("kubectl", input.args, { stdio: "inherit", env: { ...context.env, KUBECONFIG: kubeconfig } });
    return await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 1)));
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
      throw new CommandError("there is no kubectl on your PATH; any version from 1.20 works", { exitCode: 127 });
    });
  },
};
