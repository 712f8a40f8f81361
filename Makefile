# A thin front of meson. ./demo and ./check are what most people want.
BUILD ?= build
SECONDS ?= 60

all:
	@tests/tools/build $(BUILD)

check:
	@./check

# One line per proven requirement: ID<TAB>test (doc/requirements.md has the rows).
trace:
	@tests/tools/trace

# Runs every fuzz target for SECONDS in turn; new finds stay in build-fuzz/corpus.
fuzz:
	@tests/tools/fuzz $(SECONDS)

bench:
	@bench/run --list

format:
	clang-format -i $$(git ls-files 'src/*.[ch]' 'tests/*.[ch]' 'fuzz/*.[ch]' 'bench/*.[ch]')

tidy:
	@tests/tools/build $(BUILD)
	clang-tidy --quiet -p $(BUILD) $$(git ls-files 'src/*.c')

install: all
	meson install -C $(BUILD)

# A Debian package in build-deb.
deb:
	@packaging/make-deb

clean:
	rm -rf build build-asan build-fuzz build-deb

.PHONY: all check trace fuzz bench format tidy install deb clean
