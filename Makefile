# Two targets set up everything on a machine with Go, git and apt:
#   make demo   runs the whole system with a simulated sensor and prints the page's address
#   make test   passes the tests (installing what deploy/test/install-tools names, where it is missing)

LINT := go tool -modfile=deploy/lint/go.mod
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null)
LDFLAGS := -X github.com/tillprint/tillprint/cmd/internal/cli.version=$(VERSION)

.PHONY: demo build test unit hour race readme cross lint tools power deb packages image boot test-boot

demo:
	@go run ./cmd/tillprint demo

build:
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/tillprintd ./cmd/tillprint-hub ./cmd/tillprint

test: tools lint unit power hour race cross packages boot readme

tools:
	@deploy/test/install-tools

# With a browser and a database, which 'go test ./...' alone goes without.
unit:
	TILLPRINT_BROWSER=1 deploy/test/with-postgres go test ./...

# The canteen hour with a school of 1,200 pupils, on real fingers where they are at hand.
hour:
	TILLPRINT_LONG=1 go test -count=1 -run TestDemoOnRealFingers ./cmd/tillprint

# Every crash state of the store and, as root, power cuts, a full card and a search of the raw image on an ext4 of its own.
# It takes minutes; `make unit` runs a sample of the crash states.
power:
	@test "$$(id -u)" = 0 || echo "skipped: power cuts, a full card and the search of a raw image on a real ext4 need root"
	TILLPRINT_LONG=1 go test -count=1 -timeout 60m ./store/...

race:
	go test -race -short ./...

cross:
	deploy/test/cross-build

# Debian packages for Raspberry Pi OS and Debian, into dist/.
deb:
	@go run -C deploy/deb . -out $(CURDIR)/dist

packages:
	cd deploy/deb && go vet . && go test -count=1 .

readme: build
	TILLPRINT_README=1 go test -count=1 -run TestREADME ./cmd/tillprint

lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt would change:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	$(LINT) staticcheck ./...
	@deploy/lint/vulncheck

# The card's image and the update of the same version, in dist/. It takes root, apt's mirrors and a few minutes. RELEASE_KEY
# names the secret release key ('go run ./deploy/image/tool new-key FILE' makes one); without it nothing is packed and signed.
image:
	deploy/image/build dist

# One look at the image, and one start of it, built for it, to serving fingers, on an emulated 64-bit ARM machine; the Raspberry Pi 3 is in test-boot.
boot:
	deploy/test/with-image go test -count=1 -short -timeout 30m ./deploy/image ./deploy/boot

# The life of a terminal in there, with power cuts, updates and bad sticks: see deploy/boot/README.md for its time.
test-boot: tools
	UPDATE=1 deploy/test/with-image go test -count=1 -v -timeout 180m ./deploy/boot
