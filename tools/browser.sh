#!/bin/sh
# Makes sure that there is a Chromium for the browser tests; without one they are skipped, in CI an error.
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
if [ "$(id -u)" = 0 ]; then
    as_root=""
elif sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    as_root="no"
fi
if [ "$as_root" != no ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium for the browser tests"
    install="$as_root apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk"
    { $install || { $as_root apt-get update -qq && $install; }; } >/dev/null 2>&1 && exit 0
fi
echo "No Chromium and no way to install one here: browser tests are skipped." >&2
[ "${CI:-}" != true ]
