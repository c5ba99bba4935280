"""Archives: reviews in files that are scored into files, without a database and without a server.

An archive is a folder of Parquet files, one for each block of the input. Each appears when it is complete, under a name
that follows from the input. So scoring continues where it was interrupted, and whoever scores a block twice writes the
same file.
"""
