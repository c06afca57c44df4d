/** What a small server does without. */
const nodeFlags = ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=8"];

/** The words that run the Node host; more flags go to Node itself. */
export const nodeHostCommand = (
  nodePath: string,
  programPath: string,
  flags: readonly string[] = [],
): readonly string[] => [nodePath, ...nodeFlags, ...flags, programPath];

/** The words that run the waiting Node host in an image; `wait` follows. */
export const waitingHostCommand: readonly string[] = nodeHostCommand("node", "/ebb/host/wait.cjs");

/**
 * The words that run the Python host. Isolated and without the site module: what a function imports comes with the
 * function or from the standard library, never from what happens to be installed on the machine.
 */
export const pythonHostCommand = (pythonPath: string, programPath: string): readonly string[] => [
  pythonPath,
  "-I",
  "-S",
  programPath,
];

/** Where the Python host lies in an image. */
export const pythonHostPath = "/ebb/host/python";

/** The words that run the waiting Python host in an image; `wait` follows. */
export const waitingPythonCommand: readonly string[] = pythonHostCommand("python3", pythonHostPath);
