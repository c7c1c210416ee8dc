#!/bin/sh
# with-ca COMMAND…: lets npm and pip trust the CAs of the build's secret `ca`, where there is one.
ca=/run/secrets/ca
if [ -s "$ca" ]; then
  export NODE_EXTRA_CA_CERTS="$ca" NPM_CONFIG_CAFILE="$ca" PIP_CERT="$ca" SSL_CERT_FILE="$ca"
fi
exec "$@"
