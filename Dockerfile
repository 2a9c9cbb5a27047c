# The expressway command for CI services, with the layer in it:
#
#   docker build --build-arg VERSION=v0.1.0 --build-arg COMMIT="$(git rev-parse --short=12 HEAD)" -t expressway .
#   docker run --rm -v "$PWD:/work" expressway validate --strict
#   docker run --rm -p 8080:8080 -p 8083:8083 -v "$PWD:/work" expressway dev --http 0.0.0.0:8080 --states 0.0.0.0:8083
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
ARG TARGETOS TARGETARCH VERSION=v0.0.0 COMMIT=
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN go run ./internal/dist/release -version "$VERSION" -commit "$COMMIT" -platform "${TARGETOS:-linux}/${TARGETARCH:-$(go env GOARCH)}" -o /out

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/expressway /expressway
WORKDIR /work
ENTRYPOINT ["/expressway"]
