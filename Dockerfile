# The image has the two programs, and no shell. It starts with the built-in configuration, which
# needs --insecure beyond localhost; compose.yaml shows how. `make rootfs` says what is in it.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN make rootfs

FROM scratch
COPY --from=build /src/build/rootfs/ /
COPY --from=build --chown=10001:10001 /src/build/rootfs/var/lib/isbl /var/lib/isbl
ENV ISBL_DATA=/var/lib/isbl ISBL_LISTEN=0.0.0.0
USER 10001:10001
WORKDIR /var/lib/isbl
VOLUME /var/lib/isbl
EXPOSE 4317 4318 4319 4380 8888 13133
ENTRYPOINT ["/usr/bin/otelcol-isbl"]
