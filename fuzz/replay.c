/*
 * Replays files through a fuzz target: every argument is a file, or a folder whose files are taken.
 * The committed corpus is so a regression test that needs no fuzzer. A missing folder is an error:
 * a target without a corpus proves nothing.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *buf = malloc(1 << 20);
	size_t len;

	if (!f || !buf) {
		perror(path);
		free(buf);
		return -1;
	}
	len = fread(buf, 1, 1 << 20, f);
	fclose(f);
	uint8_t *exact = malloc(len ? len : 1); /* exact size, so that a read past the end is seen */
	if (!exact)
		abort();
	for (size_t i = 0; i < len; i++)
		exact[i] = buf[i];
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	free(buf);
	return 0;
}

int main(int argc, char **argv)
{
	int count = 0;

	for (int i = 1; i < argc; i++) {
		struct stat st;
		char path[4096];
		DIR *dir;
		struct dirent *entry;

		if (stat(argv[i], &st)) {
			perror(argv[i]);
			return 1;
		}
		if (!S_ISDIR(st.st_mode)) {
			if (replay_file(argv[i]))
				return 1;
			count++;
			continue;
		}
		dir = opendir(argv[i]);
		if (!dir) {
			perror(argv[i]);
			return 1;
		}
		while ((entry = readdir(dir))) {
			if (entry->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "%s/%s", argv[i], entry->d_name);
			if (replay_file(path))
				return 1;
			count++;
		}
		closedir(dir);
	}
	printf("%d inputs replayed\n", count);
	return count ? 0 : 1;
}
