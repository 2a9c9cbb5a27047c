# The expressway command for CI services: docker build --build-arg VERSION=v0.1.0 -t expressway .
#
#   docker run --rm -p 8080:8080 -p 8083:8083 -v "$PWD:/work" expressway dev --http 0.0.0.0:8080 --states 0.0.0.0:8083
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
ARG TARGETOS TARGETARCH VERSION=v0.0.0
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN make release VERSION="$VERSION" && \
    mkdir /out && tar -xzf "dist/expressway-$VERSION-$TARGETOS-$TARGETARCH.tar.gz" -C /out

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/expressway /expressway
WORKDIR /work
ENTRYPOINT ["/expressway"]
