using System.Reflection;
using ErrorTracker.Ingestion;
using Microsoft.OpenApi;

namespace ErrorTracker.Hosting;

/// <summary>Swagger UI at /docs, from the endpoints and their XML comments.</summary>
internal static class Documentation
{
    public static void AddDocumentation(this WebApplicationBuilder builder)
    {
        builder.Services.AddEndpointsApiExplorer();
        builder.Services.AddSwaggerGen(x =>
        {
            x.SwaggerDoc("v1", new OpenApiInfo { Title = "ErrorTracker", Version = "v1", Description = "Collects, stores and analyses error events from many applications." });
            x.IncludeXmlComments(Assembly.GetExecutingAssembly());
        });
    }

    public static void UseDocumentation(this WebApplication app)
    {
        app.UseSwagger(x => x.RouteTemplate = "docs/{documentName}/swagger.json");
        app.UseSwaggerUI(x =>
        {
            x.RoutePrefix = "docs";
            x.SwaggerEndpoint("v1/swagger.json", "ErrorTracker");
        });
    }
}
