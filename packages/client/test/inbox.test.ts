/** Being written by the tests' author; do not overwrite. */
