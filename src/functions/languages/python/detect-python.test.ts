import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SourceError } from "../../build/source.ts";
import { detectPython } from "./detect-python.ts";
import { readModule } from "./read-module.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ebb-python-"));
});
afterEach(() => rm(dir, { recursive: true }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
}

test.each([
  ["def lambda_handler(event, context):\n  pass", { model: "lambda", target: "lambda_handler" }],
  ["handler = make()\n", { model: "lambda", target: "handler" }],
  [
    "@functions_framework.http\ndef hello(request): ...",
    { model: "functions-framework", target: "hello", signature: "http" },
  ],
  [
    "@functions_framework.cloud_event\n@other\ndef on(e): ...",
    { model: "functions-framework", target: "on", signature: "cloudevent" },
  ],
  [
    "@functions_framework.aio.http\nasync def hi(request): ...",
    { model: "functions-framework", target: "hi", signature: "http" },
  ],
  ["app = FastAPI()\n@app.get('/')\ndef root(): ...", { model: "asgi", target: "app" }],
  ["app: Starlette = Starlette(routes=[])", { model: "asgi", target: "app" }],
  ["async def app(scope, receive, send): ...", { model: "asgi", target: "app" }],
  ["app = Flask(__name__)\nif __name__ == '__main__':\n  app.run()", { model: "wsgi", target: "app" }],
  ["application = get_wsgi_application()", { model: "wsgi", target: "application" }],
  ["def app(environ, start_response): ...", { model: "wsgi", target: "app" }],
  ["def new():\n  return Function()", { model: "knative" }],
  ["async def handle(scope, receive, send): ...", { model: "knative" }],
  ["def handle(event): ...", { model: "cloudevents", target: "handle" }],
  ["def main(context: Context): ...", { model: "knative" }],
  ["def main():\n  serve_forever()\nif __name__ == '__main__':\n  main()", { model: "server" }],
])("%j is recognised", (text, facts) => {
  expect(readModule(text, "x.py")).toMatchObject(facts);
});

test.each([
  "x = 1",
  '"""\napp = FastAPI()\n"""\n',
  "  def lambda_handler(a, b): ...",
  "def handler(a, b, c): ...",
  "def main(): ...",
])("%j takes no requests", (text) => expect(readModule(text, "x.py")).toBeUndefined());

test("the folder of func's templates is its package", async () => {
  await write({
    "pyproject.toml": "",
    "function/__init__.py": "from .func import new",
    "function/func.py": "def new(): ...",
  });
  expect(detectPython(dir)).toMatchObject({ entry: "function/__init__.py", model: "knative", evidence: "declared" });
});

test.each([
  ["web: uvicorn src.main:make() --port $PORT", { entry: "src/main.py", model: "asgi", target: "make()" }],
  ["web: gunicorn -w 2 src.main:app", { entry: "src/main.py", model: "wsgi", target: "app" }],
  ["web: python -u src/main.py", { entry: "src/main.py", model: "server" }],
  ["web: functions-framework --target hello --source src/main.py", { model: "functions-framework", target: "hello" }],
])("Procfile %j is understood", async (line, found) => {
  await write({ Procfile: line, "src/main.py": "" });
  expect(detectPython(dir)).toMatchObject(found);
});

test.each([
  [{ Procfile: "web: ruby x.rb" }, /cannot run "ruby x\.rb"/],
  [{ Procfile: "web: python gone.py" }, /gone\.py" does not exist/],
  [
    { "app.py": "def lambda_handler(e, c): ...", "main.py": "def handle(event): ..." },
    /several entries: app\.py .* and main\.py .*give the file/,
  ],
  [
    { "requirements.txt": "flask", "a.py": "", "b.py": "" },
    /has requirements\.txt but no entry: there are a\.py, b\.py/,
  ],
])("%j is refused with the place and the remedy", async (files, message) => {
  await write(files);
  expect(() => detectPython(dir)).toThrow(SourceError);
  expect(() => detectPython(dir)).toThrow(message);
});

test("of two files the one that takes requests is the entry", async () => {
  await write({ "app.py": "def handle(event): ...", "main.py": "x = 1", "server.py": "HTTPServer()" });
  expect(detectPython(dir)).toMatchObject({ entry: "app.py", model: "cloudevents" });
});
