/* What mbedtls is configured with beside its default: its clock is for benchmarks and DTLS, and stops them with alarm(). */
#undef MBEDTLS_TIMING_C
