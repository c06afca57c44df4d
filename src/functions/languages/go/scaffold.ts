import type { GoProject } from "./go-project.ts";

type Library = Exclude<GoProject, { readonly kind: "program" }>;

/** The program that ebb puts in front of a Go library, as source of a package `main` inside the library's module. */
export function scaffoldMain(project: Library): string {
  if (project.kind === "functions-framework") return frameworkMain(project.module);
  const imports = [...standardImports, ...(project.cloudEvents ? eventImports : [])].map((line) => `\t${line}`);
  const instance = project.instanced
    ? "\tinstance := f.New()\n\tvar handle, hooks any = instance.Handle, instance"
    : "\tvar handle, hooks any = f.Handle, nil";
  return `package main

import (
${imports.join("\n")}

	f ${JSON.stringify(project.module)}
)

func main() {
${instance}
	if err := serve(toHandler(handle), hooks); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
${httpHandlers}${project.cloudEvents ? eventCases : ""}${handlersEnd}${project.cloudEvents ? eventSupport : ""}${server}`;
}

const standardImports = [
  '"context"',
  '"fmt"',
  '"net"',
  '"net/http"',
  '"os"',
  '"os/signal"',
  '"runtime/debug"',
  '"strings"',
  '"syscall"',
  '"time"',
];

const eventImports = [
  '"github.com/cloudevents/sdk-go/v2/binding"',
  '"github.com/cloudevents/sdk-go/v2/event"',
  'cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"',
];

const frameworkMain = (module: string): string => `package main

import (
	"log"
	"os"

	"github.com/GoogleCloudPlatform/functions-framework-go/funcframework"

	_ ${JSON.stringify(module)}
)

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	log.Fatal(funcframework.Start(port))
}
`;

/** The forms of Handle: sheet functions.md §2.3. */
const httpHandlers = `
func toHandler(handle any) http.Handler {
	switch h := handle.(type) {
	case func(http.ResponseWriter, *http.Request):
		return http.HandlerFunc(h)
	case func(context.Context, http.ResponseWriter, *http.Request):
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h(r.Context(), w, r) })
`;

const handlersEnd = `	}
	fmt.Fprintf(os.Stderr, "Handle is a %T, which ebb cannot call: write func Handle(w http.ResponseWriter, r *http.Request)\\n", handle)
	os.Exit(1)
	return nil
}
`;

const eventForms: readonly (readonly [string, string])[] = [
  ["func()", "h()\n\t\t\treturn nil, nil"],
  ["func() error", "return nil, h()"],
  ["func(context.Context)", "h(ctx)\n\t\t\treturn nil, nil"],
  ["func(context.Context) error", "return nil, h(ctx)"],
  ["func(event.Event)", "h(e)\n\t\t\treturn nil, nil"],
  ["func(event.Event) error", "return nil, h(e)"],
  ["func(context.Context, event.Event)", "h(ctx, e)\n\t\t\treturn nil, nil"],
  ["func(context.Context, event.Event) error", "return nil, h(ctx, e)"],
  ["func(event.Event) *event.Event", "return h(e), nil"],
  ["func(event.Event) (*event.Event, error)", "return h(e)"],
  ["func(context.Context, event.Event) *event.Event", "return h(ctx, e), nil"],
  ["func(context.Context, event.Event) (*event.Event, error)", "return h(ctx, e)"],
];

const eventCases = eventForms
  .map(
    ([form, body]) =>
      `	case ${form}:\n		return onEvent(func(ctx context.Context, e event.Event) (*event.Event, error) {\n			${body}\n		})\n`,
  )
  .join("");

const eventSupport = `
func onEvent(h func(context.Context, event.Event) (*event.Event, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e, err := binding.ToEvent(r.Context(), cehttp.NewMessageFromHttpRequest(r))
		if err == nil {
			err = e.Validate()
		}
		if err != nil {
			http.Error(w, "not a CloudEvent: "+err.Error(), http.StatusBadRequest)
			return
		}
		reply, err := h(r.Context(), *e)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			http.Error(w, "the function failed", http.StatusInternalServerError)
			return
		}
		if reply == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if err := cehttp.WriteResponseWriter(r.Context(), (*binding.EventMessage)(reply), http.StatusOK, w); err != nil {
			fmt.Fprintln(os.Stderr, "reply event:", err)
		}
	})
}
`;

const server = `
func serve(handler http.Handler, hooks any) error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	if h, ok := hooks.(interface {
		Start(context.Context, map[string]string) error
	}); ok {
		if err := h.Start(ctx, environment()); err != nil {
			return fmt.Errorf("Start: %w", err)
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/", recovered(handler))
	ready, _ := hooks.(interface{ Ready(context.Context) (bool, error) })
	alive, _ := hooks.(interface{ Alive(context.Context) (bool, error) })
	mux.HandleFunc("/health/readiness", func(w http.ResponseWriter, r *http.Request) {
		if ready != nil {
			ok, err := ready.Ready(r.Context())
			answerProbe(w, ok, err)
		}
	})
	mux.HandleFunc("/health/liveness", func(w http.ResponseWriter, r *http.Request) {
		if alive != nil {
			ok, err := alive.Alive(r.Context())
			answerProbe(w, ok, err)
		}
	})
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("", port))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	// Whoever asked it to stop ends it when this takes too long.
	err = server.Shutdown(context.Background())
	if h, ok := hooks.(interface{ Stop(context.Context) error }); ok {
		ending, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if stopped := h.Stop(ending); stopped != nil {
			err = fmt.Errorf("Stop: %w", stopped)
		}
	}
	return err
}

func answerProbe(w http.ResponseWriter, ok bool, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil || !ok {
		http.Error(w, "not yet", http.StatusServiceUnavailable)
	}
}

func recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch err := recover(); err {
			case nil:
			case http.ErrAbortHandler:
				panic(err)
			default:
				fmt.Fprintf(os.Stderr, "panic: %v\\n%s", err, debug.Stack())
				http.Error(w, "the function failed", http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

func environment() map[string]string {
	all := map[string]string{}
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		all[name] = value
	}
	return all
}
`;
