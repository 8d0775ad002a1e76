namespace ErrorTracker.Ingestion;

/// <summary>Reads a request's body whole, up to a limit.</summary>
internal static class RequestBody
{
    /// <summary>Null if the body is longer than <paramref name="largest"/> bytes; at most one byte more than that is read.</summary>
    public static async Task<byte[]?> ReadAsync(HttpRequest request, int largest, CancellationToken stop)
    {
        if (request.ContentLength > largest) return null;
        var buffer = new byte[(int)(request.ContentLength ?? 4096) + 1];
        for (var filled = 0; ;)
        {
            var read = await request.Body.ReadAsync(buffer.AsMemory(filled), stop);
            if (read == 0) return buffer[..filled];
            if ((filled += read) > largest) return null;
            if (filled == buffer.Length) Array.Resize(ref buffer, Math.Min(buffer.Length * 2, largest + 1));
        }
    }
}
