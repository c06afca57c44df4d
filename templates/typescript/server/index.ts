import { createServer } from "node:http";
import { answer } from "./answer.ts";

createServer(answer).listen(Number(process.env["PORT"] ?? 8080));
