# The library with its workflow. NOT BUILT YET: there was no container engine where this was written.
#   make release
#   docker build --tag sonotune .
#   docker run --rm --volume "$PWD:/work" sonotune run --configfile my.yaml --cores 4
FROM python:3.12-slim
WORKDIR /tmp/sonotune
COPY envs/requirements.lock dist/sonotune-*.whl ./
# The versions of the lock, without its tools for developers: a lock with hashes is no list of limits.
RUN sed -e '/--hash/d' -e 's/ *\\$//' requirements.lock > limits.txt \
    && pip install --no-cache-dir --constraint limits.txt ./sonotune-*.whl \
    && rm -r /tmp/sonotune
WORKDIR /work
ENTRYPOINT ["sonotune"]
