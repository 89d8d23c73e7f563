// Reads every document into the generated types, and writes it back.
package main

import (
	"log"
	"os"
	"path/filepath"
)

func main() {
	samples, err := filepath.Glob(filepath.Join(os.Args[1], "*.json"))
	check(err)
	for _, sample := range samples {
		text, err := os.ReadFile(sample)
		check(err)
		read, err := UnmarshalNetworkExtensionProtocol(text)
		check(err)
		written, err := read.Marshal()
		check(err)
		check(os.WriteFile(filepath.Join(os.Args[2], filepath.Base(sample)), written, 0o600))
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
