//go:build tools

// What `npm run test:cluster` builds; the checksums stand in go.sum.
package tools

import (
	_ "go.temporal.io/server/cmd/server"
	_ "go.temporal.io/server/cmd/tools/sql"
)
