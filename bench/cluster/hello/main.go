// The smallest server worth measuring: it answers, and tells when its process began.
package main

import (
	"log"
	"net/http"
	"os"
	"strconv"
	"time"
)

func main() {
	began := strconv.FormatInt(time.Now().UnixMicro(), 10)
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Began-Us", began)
		w.Write([]byte("hello\n"))
	})
	log.Fatal(http.ListenAndServe(":"+port, nil))
}
