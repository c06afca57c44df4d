/**
 * A real Apache Kafka in one process (KRaft), from Maven's repository: fetched once into a cache, started on free ports
 * with a plain listener, one with SASL, and one with TLS where a certificate is given.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../free-port.ts";
import { endServer } from "../end-server.ts";

const version = "4.1.0";
const cache = join(homedir(), ".cache", "ebb-tests", `kafka-${version}`);
const has = (program: string, ...args: string[]): boolean => spawnSync(program, args).status === 0;

/** Why there is none; undefined when there is. */
export const noKafka = !has("java", "-version")
  ? "java is not installed"
  : !existsSync(cache) && !has("mvn", "-v")
    ? "mvn is not installed"
    : undefined;

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>test</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${version}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>`;

function fetchKafka(): void {
  if (existsSync(cache)) return;
  mkdirSync(join(cache, ".."), { recursive: true });
  const dir = mkdtempSync(`${cache}-`);
  writeFileSync(join(dir, "pom.xml"), pom);
  const args = ["-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib", "-DincludeScope=runtime"];
  const { status, stdout } = spawnSync("mvn", args, { cwd: dir, encoding: "utf8" });
  if (status !== 0) throw new Error(`Kafka could not be fetched: ${stdout.slice(0, 1000)}`);
  // Two that fetch at once: the first one stays.
  if (existsSync(cache)) rmSync(dir, { recursive: true });
  else renameSync(dir, cache);
}

const jvm = [
  "-Xmx256m",
  "-XX:TieredStopAtLevel=1",
  "-XX:+UseSerialGC",
  "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
];

export interface KafkaServer {
  readonly plain: string;
  readonly sasl: string;
  readonly tls: string;
  start(): Promise<void>;
  stop(signal?: "SIGKILL" | "SIGTERM"): Promise<void>;
  remove(): Promise<void>;
}

/** `keystore`: a PEM file with key and certificates, for the listener with TLS. User ada has the password secret. */
export async function makeKafka({ keystore }: { readonly keystore?: string } = {}): Promise<KafkaServer> {
  fetchKafka();
  const dir = mkdtempSync(join(tmpdir(), "ebb-kafka-"));
  const [plain, controller, sasl, tls] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const at = (port: number | undefined): string => `127.0.0.1:${port}`;
  const listeners = [
    `PLAINTEXT://${at(plain)}`,
    `SASL_PLAINTEXT://${at(sasl)}`,
    ...(keystore ? [`SSL://${at(tls)}`] : []),
  ];
  const login = "listener.name.sasl_plaintext";
  const scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
  const settings = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@${at(controller)}`,
    listeners: [...listeners, `CONTROLLER://${at(controller)}`].join(","),
    "advertised.listeners": listeners.join(","),
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
    [`${login}.plain.sasl.jaas.config`]:
      'org.apache.kafka.common.security.plain.PlainLoginModule required user_ada="secret";',
    [`${login}.scram-sha-256.sasl.jaas.config`]: scram,
    [`${login}.scram-sha-512.sasl.jaas.config`]: scram,
    ...(keystore ? { "ssl.keystore.type": "PEM", "ssl.keystore.location": keystore } : {}),
    "log.dirs": join(dir, "data"),
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
    "group.initial.rebalance.delay.ms": "0",
    "auto.create.topics.enable": "false",
    "log.retention.check.interval.ms": "500",
    "log.initial.task.delay.ms": "500",
  };
  const config = join(dir, "server.properties");
  writeFileSync(
    config,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  );
  const classes = ["-cp", join(cache, "lib", "*")];
  const user = (mechanism: string): string[] => ["--add-scram", `${mechanism}=[name=ada,password=secret]`];
  const format = ["kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qk", "-c", config];
  const formatted = spawnSync("java", [
    ...jvm,
    ...classes,
    ...format,
    ...user("SCRAM-SHA-256"),
    ...user("SCRAM-SHA-512"),
  ]);
  if (formatted.status !== 0) throw new Error(`Kafka's storage could not be made: ${String(formatted.stderr)}`);
  let child: ChildProcess | undefined;
  const server: KafkaServer = {
    plain: at(plain),
    sasl: at(sasl),
    tls: at(tls),
    async start() {
      child = spawn("java", [...jvm, ...classes, "kafka.Kafka", config], { stdio: ["ignore", "pipe", "pipe"] });
      let said = "";
      for (const stream of [child.stdout, child.stderr])
        stream?.on("data", (chunk) => (said = `${said}${String(chunk)}`.slice(-4000)));
      const { Admin } = await import("@platformatic/kafka");
      for (const deadline = Date.now() + 60_000; ;) {
        const admin = new Admin({ clientId: "probe", bootstrapBrokers: [at(plain)], retries: 0, connectTimeout: 1000 });
        const { brokers } = await admin.metadata({ topics: [] }).catch(() => ({ brokers: new Map() }));
        await admin.close();
        if (brokers.size > 0) return;
        if (Date.now() > deadline || child.exitCode !== null) throw new Error(`Kafka did not start: ${said}`);
        await new Promise((done) => setTimeout(done, 100));
      }
    },
    async stop(signal = "SIGTERM") {
      const ending = child;
      child = undefined;
      await endServer(ending, signal);
    },
    async remove() {
      await server.stop("SIGKILL");
      rmSync(dir, { recursive: true });
    },
  };
  return server;
}
