import { afterEach, describe, expect, test } from "vitest";
import { detectSource } from "../../src/functions/build/detect.ts";
import { hasProgram } from "../e2e/ebb-process.ts";
import { build, discard, serving, writeFolder } from "./built-program.ts";

const folders: string[] = [];
afterEach(async () => {
  for (const dir of folders.splice(0)) await discard(dir);
});
async function folder(files: Readonly<Record<string, string>>): Promise<string> {
  const dir = await writeFolder(files);
  folders.push(dir);
  return dir;
}

const mod = "module example.com/function\n\ngo 1.19\n";
const slow = { timeout: 120_000 };

describe("what a Go folder is", () => {
  test.each([
    ["a main", { "go.mod": mod, "x.go": "package main\n\nfunc main() {}\n" }, { model: "server", entry: "x.go" }],
    ["a main below cmd", { "go.mod": mod, "cmd/a/m.go": "package main\nfunc main() {}" }, { entry: "cmd/a/m.go" }],
    ["no go.mod", { "main.go": "package main\nfunc main() {}" }, { model: "server" }],
    [
      "Handle",
      {
        "go.mod": mod,
        "handle.go": 'package f\nimport "net/http"\nfunc Handle(w http.ResponseWriter, r *http.Request) {}',
      },
      { model: "knative", signature: "http" },
    ],
    [
      "New and CloudEvents",
      {
        "go.mod": mod,
        "f.go": 'package f\nimport "github.com/cloudevents/sdk-go/v2/event"\nfunc New() *F { return nil }',
      },
      { model: "knative", signature: "cloudevent" },
    ],
    [
      "a registration",
      {
        "go.mod": mod,
        "f.go":
          'package f\nimport "github.com/GoogleCloudPlatform/functions-framework-go/functions"\nfunc init() { functions.HTTP("Hi", hi) }',
      },
      { model: "functions-framework", target: "Hi" },
    ],
    [
      "a Lambda",
      {
        "go.mod": mod,
        "m.go": 'package main\nimport "github.com/aws/aws-lambda-go/lambda"\nfunc main() { lambda.Start(h) }',
      },
      { model: "lambda-runtime" },
    ],
    [
      "names in comments and strings do not count",
      { "go.mod": mod, "a.go": 'package main\n// func Handle(\n/*\nfunc New()\n*/\nfunc main() { _ = "http://x" }' },
      { model: "server" },
    ],
  ])("%s", async (_what, files, expected) => {
    expect(await detectSource(await folder(files))).toMatchObject({ language: "go", ...expected });
  });

  test("several programs are named with the remedy", async () => {
    const main = "package main\nfunc main() {}";
    const dir = await folder({ "go.mod": mod, "cmd/a/a.go": main, "cmd/b/b.go": main });
    await expect(detectSource(dir)).rejects.toThrow(/several programs: cmd\/a, cmd\/b; .*"entry: cmd\/a\/a\.go"/);
    expect(await detectSource(dir, { entry: "cmd/b/b.go" })).toMatchObject({ entry: "cmd/b/b.go" });
  });

  test("a module without function or main says what was looked for", async () => {
    await expect(detectSource(await folder({ "go.mod": mod, "a.go": "package a" }))).rejects.toThrow(
      /no func main, no Handle/,
    );
  });
});

describe.skipIf(!(await hasProgram("go")))("building Go", () => {
  test(
    "a server becomes one static binary, the same bytes wherever its folder is, its files beside it",
    slow,
    async () => {
      const files = {
        "go.mod": mod,
        "main.go": `package main
import ("net/http"; "os")
func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		text, _ := os.ReadFile("words/hello.txt")
		w.Write(text)
	})
	http.ListenAndServe(":"+os.Getenv("PORT"), nil)
}
`,
        "words/hello.txt": "hello from a file",
        "README.md": "for people",
      };
      const first = await build(await folder(files));
      const second = await build(await folder({ ...files, "README.md": "other words" }));
      expect(second.digest).toBe(first.digest);
      expect(first.architecture).toBe(process.arch === "x64" ? "amd64" : process.arch);
      await serving(first, async (url) => {
        expect(await (await fetch(url)).text()).toBe("hello from a file");
      });
    },
  );

  test("Handle gets a server with probes, and a panic is a 500 that ends nothing", slow, async () => {
    const dir = await folder({
      "go.mod": mod,
      "handle.go": `package function
import ("context"; "net/http")
func Handle(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/panic" { panic("oh") }
	w.Write([]byte(r.Method + " " + r.URL.Path))
}
`,
    });
    const built = await build(dir);
    expect(built.config.Labels?.["dev.ebb.model"]).toBe("server");
    const { code, output } = await serving(built, async (url) => {
      expect(await (await fetch(`${url}/a/b`, { method: "PUT" })).text()).toBe("PUT /a/b");
      expect((await fetch(`${url}/panic`)).status).toBe(500);
      expect((await fetch(`${url}/health/readiness`)).status).toBe(200);
      expect((await fetch(`${url}/health/liveness`)).status).toBe(200);
    });
    expect(output).toContain("panic: oh");
    expect(code).toBe(0);
  });

  test("an instance is started before it serves, asked whether it is ready, and stopped", slow, async () => {
    const dir = await folder({
      "go.mod": mod,
      "function.go": `package function
import ("context"; "fmt"; "net/http")
type F struct { greeting string }
func New() *F { return &F{} }
func (f *F) Start(ctx context.Context, args map[string]string) error { f.greeting = args["GREETING"]; return nil }
func (f *F) Stop(ctx context.Context) error { fmt.Println("stopped"); return nil }
func (f *F) Ready(ctx context.Context) (bool, error) { return false, nil }
func (f *F) Handle(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, f.greeting) }
`,
    });
    const { code, output } = await serving(
      await build(dir),
      async (url) => {
        expect(await (await fetch(url)).text()).toBe("hei");
        expect((await fetch(`${url}/health/readiness`)).status).toBe(503);
      },
      { GREETING: "hei" },
    );
    expect(output).toContain("stopped");
    expect(code).toBe(0);
  });

  test("an error of the compiler names file and line, and nothing is stored", slow, async () => {
    const dir = await folder({ "go.mod": mod, "main.go": "package main\n\nfunc main() {\n\tnowhere()\n}\n" });
    await expect(build(dir)).rejects.toThrow(/^main\.go:4:2: undefined: nowhere$/);
  });
});
